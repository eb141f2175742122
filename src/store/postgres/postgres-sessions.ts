// The Sessions port: one statement, one round trip and one commit for each step in a session's life.
import { MAX } from 'uuid'
import type { LiveSession, SessionSummary, Sessions } from '../../auth/ports/sessions.ts'
import { tokenId } from '../../contract/denylist-keys.ts'
import { beginSession, refreshTokenHash } from './begin-session.ts'
import { endingMany } from './end-many.ts'
import { END, millisecondsUntil, REVOKE, type DenialRow } from './end-sessions.ts'
import { insertEntry, type LogEntries, type LoggedStatement } from './log-entries.ts'
import { ROLE } from './postgres-health.ts'
import type { Postgres, Statement } from './postgres.ts'

const LIVE_SESSION = `
  generation, (extract(epoch FROM rotated_at) * 1000)::float8 AS "rotatedAtMs",
  CASE WHEN rotated_at IS NOT NULL THEN (extract(epoch FROM now() - last_seen_at) * 1000)::float8 END
    AS "sinceRotationMs",
  presented_generation >= generation AS "isPresented",
  (extract(epoch FROM now() - late_replay_at) * 1000)::float8 AS "sinceLateReplayMs",
  extract(epoch FROM created_at)::float8 AS "createdAt", extract(epoch FROM expires_at)::float8 AS "expiresAt",
  (SELECT role FROM users WHERE users.id = user_id) AS role,
  (SELECT claims FROM users WHERE users.id = user_id) AS claims`

/** The sessions of a closed account are about to end, each in its turn: until then nothing is refreshed by them. */
const IS_OPEN = `ended_at IS NULL AND EXISTS (SELECT 1 FROM users WHERE users.id = user_id AND is_active)`

const IS_ON = `id = $1 AND ${IS_OPEN} AND expires_at > now() - $2::float8 * interval '1 second'`

// Of the primary, and so a row also where there is no session: to a standby, one that has just ended is live.
const SELECT_LIVE = `SELECT ${LIVE_SESSION}, server.* FROM (SELECT ${ROLE}) AS server LEFT JOIN user_sessions ON ${IS_ON}`

const FIND: Statement = { name: 'sessions.find', isOfPrimary: true, text: SELECT_LIVE }

// Reading costs one round trip as before, and writes only the first time that a generation is seen.
const PRESENT: Statement = {
  name: 'sessions.present',
  isOfPrimary: true,
  text: `
    WITH presented AS (
      UPDATE user_sessions SET presented_generation = $3
      WHERE ${IS_ON} AND generation <= $3 AND presented_generation < $3
    )
    ${SELECT_LIVE}`,
}

const LIVE_COLUMNS = `
  generation, "rotatedAtMs", "sinceRotationMs", "isPresented", "sinceLateReplayMs", "createdAt", "expiresAt", role,
  claims`

// The row decides here too: of racing callers one finds that there was no late replay for that long.
const replayLate = (entry: string) => `
  WITH replayed AS (
    UPDATE user_sessions SET late_replay_at = now()
    WHERE ${IS_ON} AND generation = $3 + 1 AND presented_generation < generation
      AND (late_replay_at IS NULL OR late_replay_at <= now() - $4::float8 * interval '1 second')
    RETURNING user_id, id AS session_id, ${LIVE_SESSION}
  )${entry}
  SELECT ${LIVE_COLUMNS} FROM replayed`

const REPLAY_LATE: LoggedStatement = {
  withEntry: { name: 'sessions.replayLate', text: replayLate(`, entry AS (${insertEntry('replayed', 5)})`) },
  withoutEntry: { name: 'sessions.replayLate.unlogged', text: replayLate('') },
}

// By id, as the entries are: UUIDv7 is in the order of time, and unlike a time it has no ties.
const LIST: Statement = {
  name: 'sessions.list',
  text: `SELECT id, ip_address AS "ipAddress", user_agent AS "userAgent", created_at AS "createdAt",
                last_seen_at AS "lastSeenAt", expires_at AS "expiresAt"
         FROM user_sessions WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() AND id < $2
         ORDER BY id DESC LIMIT $3`,
}

// The row decides: of racing callers one finds it not beyond the generation, and none a session that has ended.
const ROTATE: Statement = {
  name: 'sessions.rotate',
  text: `
    WITH rotated AS (
      UPDATE user_sessions SET
        generation = $2 + 1,
        rotated_at = to_timestamp($3::float8 / 1000),
        refresh_jti_hash = $4::bytea,
        last_seen_at = now(),
        expires_at = greatest(expires_at, least(
          to_timestamp($5::float8), date_trunc('second', created_at) + $6::float8 * interval '1 second'
        ))
      WHERE id = $1 AND generation <= $2 AND ${IS_OPEN} AND expires_at > now() - $9::float8 * interval '1 second'
      RETURNING id, ${LIVE_SESSION}
    ), retired AS (
      INSERT INTO revocations (denied_id, partition, reason, expires_at)
      SELECT $7::text, right($1::text, 2), 'rotated', to_timestamp($8::float8) FROM rotated WHERE $7 IS NOT NULL
      ON CONFLICT (denied_id) DO NOTHING
      RETURNING denied_id, expires_at
    )
    SELECT ${LIVE_COLUMNS},
           denied_id AS "deniedId", ${millisecondsUntil('expires_at')} AS "ttlMs"
    FROM rotated LEFT JOIN retired ON true`,
}

export interface PostgresSessionsDeps {
  postgres: Postgres
  logEntries: LogEntries
  leewaySeconds: number
}

/** `deniedId` is `null` where nothing was retired. */
type RotatedRow = LiveSession & { deniedId: string | null; ttlMs: number }

/** `generation` is `null` where there is no such session. Columns that tell of the server stand beside it. */
type FoundRow = LiveSession | { generation: null }

export function postgresSessions({ postgres, logEntries, leewaySeconds }: PostgresSessionsDeps): Sessions {
  return {
    begin: async (session, entry) => await beginSession({ logEntries, leewaySeconds }, session, entry),

    end: async ({ id, userId, reason, expiresAt }, entry) => {
      const values = [reason, leewaySeconds, id, userId, expiresAt]
      const [denial] = await logEntries.query<DenialRow>(END, values, entry)
      return denial ?? null
    },

    revoke: async ({ id, userId }, entry) => {
      const values = ['revoked', leewaySeconds, id, userId]
      const [denial] = await logEntries.query<DenialRow>(REVOKE, values, entry)
      return denial ?? null
    },

    ...endingMany({ postgres, logEntries, leewaySeconds }),

    rotate: async ({ sessionId, generation, refreshJti, rotatedAtMs, expiresAt, maxAgeSeconds, retired }) => {
      const values = [
        sessionId,
        generation,
        rotatedAtMs,
        refreshTokenHash(refreshJti),
        expiresAt,
        maxAgeSeconds,
        retired ? tokenId(sessionId, retired.jti) : null,
        retired ? retired.expiresAt + leewaySeconds : null,
        leewaySeconds,
      ]
      const [row] = await postgres.query<RotatedRow>(ROTATE, values)
      if (!row) return null
      const { deniedId, ttlMs, ...session } = row
      return { session, denials: deniedId === null ? [] : [{ id: deniedId, ttlMs }] }
    },

    find: found,

    present: async ({ sessionId, generation }) => {
      const [row] = await postgres.query<FoundRow>(PRESENT, [sessionId, leewaySeconds, generation])
      return liveSession(row)
    },

    replayLate: async ({ sessionId, generation, pauseSeconds }, entry) => {
      const values = [sessionId, leewaySeconds, generation, pauseSeconds]
      const [session] = await logEntries.query<LiveSession>(REPLAY_LATE, values, entry)
      return session ?? null
    },

    list: async ({ userId, before, limit }) =>
      await postgres.query<SessionSummary>(LIST, [userId, before ?? MAX, limit]),
  }

  async function found(sessionId: string): Promise<LiveSession | null> {
    const [row] = await postgres.query<FoundRow>(FIND, [sessionId, leewaySeconds])
    return liveSession(row)
  }
}

function liveSession(row: FoundRow | undefined): LiveSession | null {
  if (!row || row.generation === null) return null
  const { generation, rotatedAtMs, sinceRotationMs, isPresented, sinceLateReplayMs, ...rest } = row
  const { createdAt, expiresAt, role, claims } = rest
  const replay = { isPresented, sinceLateReplayMs }
  return { generation, rotatedAtMs, sinceRotationMs, ...replay, createdAt, expiresAt, role, claims }
}
