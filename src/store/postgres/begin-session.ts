// A session that begins, in SQL: with its log entry, and with the end of the oldest ones that are too many.
import { createHash } from 'node:crypto'
import type { Denial } from '../../auth/ports/denials.ts'
import type { LogEntry } from '../../auth/ports/log.ts'
import type { EndReason } from '../../auth/ports/session-ends.ts'
import type { NewSession } from '../../auth/ports/sessions.ts'
import { DENIAL, denialsOf, endingSteps, type JoinedDenial } from './end-sessions.ts'
import { insertEntry, type LogEntries, type LoggedStatement } from './log-entries.ts'

/** More than one is surplus where the bound was lowered, or logins raced: few enough that no login takes long. */
const SURPLUS_AT_ONCE = 100

// The update takes the user's row first, so that a login and a disabling, or a change of
// password, come one after the other; it changes nothing when the account is not as it was read.
// The new session is not seen by the step that looks for the surplus. Nor is that of a login which this one has waited
// for: racing ones go beyond the bound by as many as they are, until the next login.
const begin = (entry: string) => `
  WITH account AS (
    UPDATE users SET last_login_at = now(), password_hash = COALESCE($6::text, password_hash)
    WHERE id = $4 AND is_active AND password_hash = $5 AND role = $12
    RETURNING id AS user_id
  ), begun AS (
    INSERT INTO user_sessions (id, user_id, refresh_jti_hash, expires_at, ip_address, user_agent)
    SELECT $3::uuid, user_id, $7::bytea, to_timestamp($8::float8), $9::text, $10::text FROM account
    RETURNING id AS session_id, user_id
  ), surplus AS (
    SELECT id FROM user_sessions
    WHERE user_id = (SELECT user_id FROM account) AND ended_at IS NULL
      AND expires_at > now() - $2::float8 * interval '1 second'
    ORDER BY id DESC OFFSET $11::int - 1 LIMIT ${SURPLUS_AT_ONCE}
  ), ${endingSteps('id = ANY (ARRAY(SELECT id FROM surplus))', entry)}
  SELECT session_id AS "sessionId", ${DENIAL} FROM begun LEFT JOIN journal ON true`

const BEGIN: LoggedStatement = {
  withEntry: { name: 'sessions.begin', text: begin(`, entry AS (${insertEntry('begun', 13)})`) },
  withoutEntry: { name: 'sessions.begin.unlogged', text: begin('') },
}

export interface BeginSessionDeps {
  logEntries: LogEntries
  leewaySeconds: number
}

/** As the Sessions port has it. */
export async function beginSession(
  { logEntries, leewaySeconds }: BeginSessionDeps,
  { id, account, rehashed, refreshJti, expiresAt, maxSessions }: NewSession,
  entry: LogEntry,
): Promise<Denial[] | null> {
  const { ipAddress, userAgent } = entry.caller
  const values = [
    'too_many_sessions' satisfies EndReason,
    leewaySeconds,
    id,
    account.id,
    account.passwordHash,
    rehashed ?? null,
    refreshTokenHash(refreshJti),
    expiresAt,
    ipAddress,
    userAgent,
    maxSessions,
    account.role,
  ]
  const rows = await logEntries.query<JoinedDenial>(BEGIN, values, entry)
  return rows.length > 0 ? denialsOf(rows) : null
}

/** Of its `jti`: nothing of a token itself is stored. */
export function refreshTokenHash(jti: string): Buffer {
  return createHash('sha256').update(jti).digest()
}
