// The Journal port over Postgres.
import { NIL } from 'uuid'
import type { Denial, Journal } from '../../auth/ports/denials.ts'
import { tokenId } from '../../contract/denylist-keys.ts'
import { insertEntry, type LogEntries, type LoggedStatement } from './log-entries.ts'
import { ROLE } from './postgres-health.ts'
import type { Postgres, Statement } from './postgres.ts'

// Of the primary: a standby may not have heard of it yet.
const IS_DENIED: Statement = {
  name: 'journal.isDenied',
  isOfPrimary: true,
  text: `SELECT EXISTS (
           SELECT 1 FROM revocations WHERE denied_id = ANY($1::text[]) AND expires_at > now()
         ) AS "isDenied", ${ROLE}`,
}

/** A denial that is there already is left alone, unless `condition` holds: then it moves to the journal's end, for the relay to see. */
export const unlessDenied = (condition: string) => `
    ON CONFLICT (denied_id) DO UPDATE
    SET seq = EXCLUDED.seq, created_at = EXCLUDED.created_at, expires_at = EXCLUDED.expires_at
    WHERE ${condition}`

const deny = (entry: string) => `
  WITH journal AS (
    INSERT INTO revocations (denied_id, partition, reason, expires_at)
    VALUES ($1, right($1, 2), 'logout', to_timestamp($2::float8))
    ${unlessDenied('revocations.expires_at < EXCLUDED.expires_at')}
    RETURNING denied_id, expires_at
  )${entry}
  SELECT denied_id AS id, (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "ttlMs" FROM journal`

const NOBODY_KNOWN = '(SELECT NULL::uuid AS user_id, NULL::uuid AS session_id FROM journal) AS told'
const DENY: LoggedStatement = {
  withEntry: { name: 'journal.deny', text: deny(`, entry AS (${insertEntry(NOBODY_KNOWN, 3)})`) },
  withoutEntry: { name: 'journal.deny.unlogged', text: deny('') },
}

const DENIALS = `
  SELECT denied_id AS id, (extract(epoch FROM revocations.expires_at - now()) * 1000)::float8 AS "ttlMs"
  FROM revocations`
const IS_LIVE = 'revocations.expires_at > now()'

const OF_ID: Statement = {
  name: 'journal.ofId',
  text: `${DENIALS} WHERE denied_id = $1::text AND ${IS_LIVE}`,
}

const OF_USER: Statement = {
  name: 'journal.ofUser',
  text: `${DENIALS} JOIN user_sessions ON denied_id = user_sessions.id::text
         WHERE user_id = $1 AND user_sessions.id > $2 AND ended_at IS NOT NULL AND ${IS_LIVE}
         ORDER BY user_sessions.id LIMIT $3`,
}

export interface PostgresJournalDeps {
  postgres: Postgres
  logEntries: LogEntries
  leewaySeconds: number
}

export function postgresJournal({ postgres, logEntries, leewaySeconds }: PostgresJournalDeps): Journal {
  return {
    isDenied: async ({ sid, jti }) => {
      const rows = await postgres.query<{ isDenied: boolean }>(IS_DENIED, [[sid, tokenId(sid, jti)]])
      return rows.some(({ isDenied }) => isDenied)
    },

    denialOf: async (id) => {
      const [denial] = await postgres.query<Denial>(OF_ID, [id])
      return denial ?? null
    },

    denialsOfUser: async ({ userId, after, limit }) =>
      await postgres.query<Denial>(OF_USER, [userId, after ?? NIL, limit]),

    deny: async ({ id, expiresAt }, entry) => {
      const [denial] = await logEntries.query<Denial>(DENY, [id, expiresAt + leewaySeconds], entry)
      return denial ?? null
    },
  }
}
