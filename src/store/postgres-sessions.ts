// The Sessions port: one statement, one round trip and one commit for each beginning and each end.
import { createHash } from 'node:crypto'
import type { Sessions } from '../auth/ports.ts'
import { insertEntry, type LogEntries, type LoggedStatement } from './log-entries.ts'

// The update takes the user's row first, so that a login and a disabling, or a change of
// password, come one after the other; it changes nothing when the account is not as it was read.
const begin = (entry: string) => `
  WITH account AS (
    UPDATE users SET last_login_at = now(), password_hash = COALESCE($4::text, password_hash)
    WHERE id = $2 AND is_active AND password_hash = $3
    RETURNING id AS user_id
  ), begun AS (
    INSERT INTO user_sessions (id, user_id, refresh_jti_hash, expires_at, ip_address, user_agent)
    SELECT $1::uuid, user_id, $5::bytea, to_timestamp($6::float8), $7::text, $8::text FROM account
    RETURNING id AS session_id, user_id
  )${entry}
  SELECT session_id FROM begun`

const BEGIN: LoggedStatement = {
  withEntry: { name: 'sessions.begin', text: begin(`, entry AS (${insertEntry('begun', 9)})`) },
  withoutEntry: { name: 'sessions.begin.unlogged', text: begin('') },
}

/** Ends the sessions that `condition` picks; `$1` is the reason, `$2` the leeway in seconds. */
export const endSessions = (condition: string, entry: string) => `
  WITH ended AS (
    UPDATE user_sessions SET ended_at = now(), end_reason = $1::text
    WHERE ${condition} AND ended_at IS NULL
    RETURNING id AS session_id, user_id, expires_at
  ), journal AS (
    INSERT INTO revocations (denied_id, partition, reason, expires_at)
    SELECT session_id::text, right(session_id::text, 2), $1::text, expires_at + $2::float8 * interval '1 second'
    FROM ended
    RETURNING denied_id, expires_at
  )${entry}
  SELECT denied_id AS id, (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "ttlMs" FROM journal`

const END: LoggedStatement = {
  withEntry: {
    name: 'sessions.end',
    text: endSessions('id = $3', `, entry AS (${insertEntry('ended', 4)})`),
  },
  withoutEntry: { name: 'sessions.end.unlogged', text: endSessions('id = $3', '') },
}

export interface PostgresSessionsDeps {
  logEntries: LogEntries
  leewaySeconds: number
}

/** What `endSessions` yields. */
export interface DenialRow {
  id: string
  ttlMs: number
}

export function postgresSessions({ logEntries, leewaySeconds }: PostgresSessionsDeps): Sessions {
  return {
    begin: async (session, entry) => {
      const { account, rehashed = null, refreshJti, expiresAt } = session
      const { ipAddress, userAgent } = entry.origin
      const jtiHash = createHash('sha256').update(refreshJti).digest()
      const values = [
        session.id,
        account.id,
        account.passwordHash,
        rehashed,
        jtiHash,
        expiresAt,
        ipAddress,
        userAgent,
      ]
      const rows = await logEntries.query(BEGIN, values, entry)
      return rows.length > 0
    },

    end: async (sessionId, reason, entry) => {
      const [denial] = await logEntries.query<DenialRow>(END, [reason, leewaySeconds, sessionId], entry)
      return denial ?? null
    },
  }
}
