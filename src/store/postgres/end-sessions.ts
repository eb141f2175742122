// Sessions that end, in SQL: their rows, the journal's, and the log entry in one statement.
import type { Denial } from '../../auth/ports/denials.ts'
import { insertEntry, type LoggedStatement } from './log-entries.ts'
import { unlessDenied } from './postgres-journal.ts'

/** `endSessions` yields these rows. */
export interface DenialRow {
  id: string
  ttlMs: number
}

/** Of a statement that yields a row also where there is no denial. */
export interface JoinedDenial {
  id: string | null
  ttlMs: number | null
}

export function denialsOf(rows: readonly JoinedDenial[]): Denial[] {
  return rows.flatMap(({ id, ttlMs }) => (id === null || ttlMs === null ? [] : { id, ttlMs }))
}

/**
 * Ends the sessions that `condition` picks, and denies `ending`: these, or more of them; `$1` is the
 * reason, `$2` the leeway in seconds. The rows are locked in the order of their ids, so that two that end
 * the same sessions never wait for each other.
 */
const endSessions = (condition: string, entry: string, ending = 'SELECT * FROM ended') => `
  WITH ${endingSteps(condition, entry, ending)}
  SELECT ${DENIAL} FROM journal`

/** The same as steps of a greater statement, the last of which, `journal`, yields what `DENIAL` reads. */
export const endingSteps = (condition: string, entry: string, ending = 'SELECT * FROM ended') => `
  locked AS (
    SELECT id FROM user_sessions WHERE ${condition} AND ended_at IS NULL ORDER BY id FOR UPDATE
  ), ended AS (
    UPDATE user_sessions SET ended_at = now(), end_reason = $1::text FROM locked
    WHERE user_sessions.id = locked.id
    RETURNING user_sessions.id AS session_id, user_id, expires_at
  ), journal AS (
    INSERT INTO revocations (denied_id, partition, reason, expires_at)
    SELECT session_id::text, right(session_id::text, 2), $1::text, expires_at + $2::float8 * interval '1 second'
    FROM (${ending}) AS ending
    ${unlessDenied('revocations.expires_at <= now()')}
    RETURNING denied_id, expires_at
  )${entry}`

/** Whether a token may still be alive, by a clock that is behind. */
export const WITHIN_LEEWAY = `> now() - $2::float8 * interval '1 second'`

export const DENIAL = `denied_id AS id, ${millisecondsUntil('expires_at')} AS "ttlMs"`

/**
 * One session, also one whose row is lost or older than the token at hand, as after a restored backup, or over
 * without a denial: `$3` its id, `$4` its user, `$5` when that token expires.
 */
const AS_THE_TOKEN_SAYS = `
  SELECT session_id, user_id, greatest(expires_at, to_timestamp($5::float8)) AS expires_at FROM ended
  UNION ALL
  SELECT $3::uuid, $4::uuid, to_timestamp($5::float8)
  WHERE NOT EXISTS (SELECT 1 FROM ended)`

interface Ends {
  name: string
  condition: string
  ending: string
  /** The first parameter that `condition` and `ending` leave to the entry. */
  first: number
}

/** One session; `$4` is its user. */
function endOne({ name, condition, ending, first }: Ends): LoggedStatement {
  const told = '(SELECT $4::uuid AS user_id, denied_id::uuid AS session_id FROM journal) AS told'
  const entry = `, entry AS (${insertEntry(told, first)})`
  return {
    withEntry: { name, text: endSessions(condition, entry, ending) },
    withoutEntry: { name: `${name}.unlogged`, text: endSessions(condition, '', ending) },
  }
}

export const END = endOne({ name: 'sessions.end', condition: 'id = $3', ending: AS_THE_TOKEN_SAYS, first: 6 })
export const REVOKE = endOne({
  name: 'sessions.revoke',
  condition: 'id = $3 AND user_id = $4 AND expires_at > now()',
  ending: 'SELECT * FROM ended',
  first: 5,
})

export function millisecondsUntil(column: string): string {
  return `(extract(epoch FROM ${column} - now()) * 1000)::float8`
}
