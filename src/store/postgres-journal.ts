// The Journal port, and the journal as the relay reads it.
import type { Denial, Journal } from '../auth/ports/denials.ts'
import { tokenId } from '../contract/denylist-keys.ts'
import { insertEntry, type LogEntries, type LoggedStatement } from './log-entries.ts'
import type { Postgres, Statement } from './postgres.ts'

/** Milliseconds since 1970 by Postgres's clock. */
export type JournalTime = number

export interface JournalRow extends Denial {
  /** In the order of writing, which is not quite the order of committing. */
  seq: string
}

export interface ReplayableJournal extends Journal {
  /**
   * Up to when every row that will ever be written can be read: now, or the beginning of the oldest
   * transaction that still writes (a commit may wait for its disk or its standby without limit).
   */
  settledUpTo(): Promise<JournalTime>
  /** Live denials written at or after `since`, oldest first, in batches. Rejects with `unavailable`. */
  readSince(since: JournalTime): AsyncIterable<JournalRow[]>
}

const IS_DENIED: Statement = {
  name: 'journal.isDenied',
  text: 'SELECT 1 FROM revocations WHERE denied_id = ANY($1::text[]) AND expires_at > now() LIMIT 1',
}

/** What is denied already is left alone, unless `condition` holds: then it moves to the journal's end, for the relay to see. */
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

const SETTLED_UP_TO: Statement = {
  name: 'journal.settledUpTo',
  text: `SELECT (extract(epoch FROM least(now(), min(xact_start))) * 1000)::float8 AS at
         FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL`,
}

const READ_BATCH: Statement = {
  name: 'journal.readBatch',
  text: `SELECT seq, denied_id AS id, (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "ttlMs"
         FROM revocations
         WHERE seq > $1 AND created_at >= to_timestamp($2::float8 / 1000) AND expires_at > now()
         ORDER BY seq LIMIT 1000`,
}

export interface PostgresJournalDeps {
  postgres: Postgres
  logEntries: LogEntries
  leewaySeconds: number
}

export function postgresJournal({
  postgres,
  logEntries,
  leewaySeconds,
}: PostgresJournalDeps): ReplayableJournal {
  return {
    isDenied: async ({ sid, jti }) => {
      const rows = await postgres.query(IS_DENIED, [[sid, tokenId(sid, jti)]])
      return rows.length > 0
    },

    deny: async ({ id, expiresAt }, entry) => {
      const [denial] = await logEntries.query<Denial>(DENY, [id, expiresAt + leewaySeconds], entry)
      return denial ?? null
    },

    settledUpTo: async () => {
      const [row] = await postgres.query<{ at: number }>(SETTLED_UP_TO)
      return row?.at ?? 0
    },

    async *readSince(since) {
      let after = '0'
      for (;;) {
        const rows = await postgres.query<JournalRow>(READ_BATCH, [after, since])
        const last = rows.at(-1)
        if (!last) return
        yield rows
        after = last.seq
      }
    },
  }
}
