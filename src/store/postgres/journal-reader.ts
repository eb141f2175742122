// The journal as it is followed: in the order of its time, and as of when it is complete.
import { AuthError } from '../../auth/errors.ts'
import type { Denial } from '../../auth/ports/denials.ts'
import type { JournalTime } from '../../contract/denylist-keys.ts'
import { DURABILITY, ROLE, unfitness, type Durability } from './postgres-health.ts'
import type { Postgres, Statement } from './postgres.ts'

export interface JournalRow extends Denial {
  /** Of this writing of it: a denial that is written anew gets another one. */
  seq: string
  /** When the transaction that wrote it began. */
  createdAtMs: JournalTime
}

export interface JournalClock {
  nowMs: JournalTime
  /**
   * Up to when the journal is complete: now, or the beginning of the oldest transaction that has begun to
   * write to it and is still open (a commit may wait for its disk or its standby without limit).
   */
  settledUpTo: JournalTime
  /** A random id of the database, made by a migration; a copy of the database has the same. */
  databaseId: string
  /** Another one whenever the server has started anew or another took its place. Without spaces. */
  serverEpoch: string
  /** Why a logout that was committed may be lost here, as one sentence that says what to do; `null` when nothing is wrong. */
  unfit: string | null
}

/** Where the next batch begins: right after the row that was written at that time, under that number. */
export interface JournalCursor {
  /** With its microseconds, as Postgres writes it. */
  createdAt: string
  seq: string
}

export interface JournalBatch {
  rows: JournalRow[]
  /** After the last of these; `null` at the end of the journal. */
  next: JournalCursor | null
}

/**
 * How far before where it stands a reader reads once more: a row is seen only when its transaction has
 * committed, and says that it was written when that began. Statements have two seconds.
 */
export const OVERLAP_MS = 10_000

/** For the relay and the feed. */
export interface JournalReader {
  /** Rejects with `unavailable`, also where this Postgres is not, or no longer, the primary. */
  clock(): Promise<JournalClock>
  /**
   * Live denials written at or after `since`, oldest first, in batches of `batchSize` (5,000). Rejects with
   * `unavailable`.
   */
  readSince(since: JournalTime, batchSize?: number): AsyncIterable<JournalRow[]>
  /**
   * The next live denials after `after` (`null`: from the beginning) in the order of their time, `limit` at the
   * most. Rejects with `unavailable`.
   */
  readBatch(after: JournalCursor | null, limit: number): Promise<JournalBatch>
}

// The timeline is that of the file which is being written: it changes when a standby is promoted, which does not restart it.
const SERVER_EPOCH = `
  (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint || '-' ||
  CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END`

// By their locks: a transaction has one on the table before it has an id. Engines without pg_locks have the overlap.
// The table itself is only named: whoever has locked it (ALTER TABLE, VACUUM FULL) keeps no clock from being read.
const OLDEST_WRITER = `
  SELECT min(xact_start) FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE relation = 'revocations'::regclass AND mode = 'RowExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

const CLOCK: Statement = {
  name: 'journal.clock',
  isOfPrimary: true,
  text: `SELECT (extract(epoch FROM now()) * 1000)::float8 AS "nowMs",
                (extract(epoch FROM least(now(), (${OLDEST_WRITER}))) * 1000)::float8 AS "settledUpTo",
                (SELECT id::text FROM database_identity) AS "databaseId", ${SERVER_EPOCH} AS "serverEpoch",
                ${DURABILITY}, ${ROLE}`,
}

type ClockRow = Omit<JournalClock, 'databaseId' | 'unfit'> & Durability & { databaseId: string | null }

const BATCH_SIZE = 5000

// The time as text keeps its microseconds, which the next batch begins after. A row also where there is no
// denial: of a standby, which has not heard of the newest ones, an empty batch would be believed.
const READ_BATCH: Statement = {
  name: 'journal.readBatch',
  isOfPrimary: true,
  text: `SELECT seq, id, "ttlMs", "createdAtMs", created_at::text AS "createdAt", server.*
         FROM (SELECT ${ROLE}) AS server LEFT JOIN (
           SELECT seq, denied_id AS id, (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "ttlMs",
                  (extract(epoch FROM created_at) * 1000)::float8 AS "createdAtMs", created_at
           FROM revocations
           WHERE (created_at, seq) > ($1::timestamptz, $2::bigint) AND created_at >= $1::timestamptz AND expires_at > now()
           ORDER BY created_at, seq LIMIT $3::int
         ) AS batch ON true
         ORDER BY created_at, seq`,
}

type BatchRow = (JournalRow & JournalCursor) | { seq: null }

const NO_IDENTITY = 'the table database_identity is empty: take back migration 005 and apply it again'

export function journalReader(postgres: Postgres): JournalReader {
  const readBatch: JournalReader['readBatch'] = async (after, limit) => {
    const { createdAt, seq } = after ?? { createdAt: '-infinity', seq: '0' }
    const found = await postgres.query<BatchRow>(READ_BATCH, [createdAt, seq, limit])
    const denials = found.filter((row) => row.seq !== null)
    const last = denials.at(-1)
    return {
      rows: denials.map(({ seq, id, ttlMs, createdAtMs }) => ({ seq, id, ttlMs, createdAtMs })),
      next: last && denials.length >= limit ? { createdAt: last.createdAt, seq: last.seq } : null,
    }
  }

  return {
    clock: async () => {
      const [row] = await postgres.query<ClockRow>(CLOCK)
      if (!row) throw new AuthError('unavailable')
      const { nowMs, settledUpTo, databaseId, serverEpoch } = row
      if (databaseId === null) throw new AuthError('unavailable', { cause: new Error(NO_IDENTITY) })
      return { nowMs, settledUpTo, databaseId, serverEpoch, unfit: unfitness(row) }
    },

    readBatch,

    async *readSince(since, batchSize = BATCH_SIZE) {
      let after: JournalCursor | null = { createdAt: new Date(Math.max(since, 0)).toISOString(), seq: '0' }
      while (after) {
        const { rows, next }: JournalBatch = await readBatch(after, batchSize)
        if (rows.length > 0) yield rows
        after = next
      }
    },
  }
}
