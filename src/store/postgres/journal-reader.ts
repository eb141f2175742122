// The journal as it is followed: in the order of its time, and as of when it is complete.
import { AuthError } from '../../auth/errors.ts'
import type { Denial } from '../../auth/ports/denials.ts'
import type { JournalTime } from '../../contract/denylist-keys.ts'
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
}

/**
 * How far before where it stands a reader reads once more: a row is seen only when its transaction has
 * committed, and says that it was written when that began. Statements have two seconds.
 */
export const OVERLAP_MS = 10_000

/** For the relay and the feed. */
export interface JournalReader {
  /** Rejects with `unavailable`. */
  clock(): Promise<JournalClock>
  /** Live denials written at or after `since`, oldest first, in batches. Rejects with `unavailable`. */
  readSince(since: JournalTime): AsyncIterable<JournalRow[]>
}

// By their locks: a transaction has one on the table before it has an id. Engines without pg_locks have the overlap.
const CLOCK: Statement = {
  name: 'journal.clock',
  text: `SELECT (extract(epoch FROM now()) * 1000)::float8 AS "nowMs",
                (extract(epoch FROM least(now(), min(xact_start))) * 1000)::float8 AS "settledUpTo"
         FROM pg_locks JOIN pg_stat_activity USING (pid)
         WHERE relation = 'revocations'::regclass AND mode = 'RowExclusiveLock'`,
}

const BATCH_SIZE = 5000

// The time as text keeps its microseconds, which the next batch begins after.
const READ_BATCH: Statement = {
  name: 'journal.readBatch',
  text: `SELECT seq, denied_id AS id, (extract(epoch FROM expires_at - now()) * 1000)::float8 AS "ttlMs",
                (extract(epoch FROM created_at) * 1000)::float8 AS "createdAtMs", created_at::text AS "createdAt"
         FROM revocations
         WHERE (created_at, seq) > ($1::timestamptz, $2::bigint) AND created_at >= $1::timestamptz AND expires_at > now()
         ORDER BY created_at, seq LIMIT ${BATCH_SIZE}`,
}

export function journalReader(postgres: Postgres): JournalReader {
  return {
    clock: async () => {
      const [clock] = await postgres.query<JournalClock>(CLOCK)
      if (!clock) throw new AuthError('unavailable')
      return clock
    },

    async *readSince(since) {
      let after = { createdAt: new Date(Math.max(since, 0)).toISOString(), seq: '0' }
      for (;;) {
        const rows = await postgres.query<JournalRow & { createdAt: string }>(READ_BATCH, [
          after.createdAt,
          after.seq,
        ])
        if (rows.length > 0) yield rows
        const last = rows.at(-1)
        if (!last || rows.length < BATCH_SIZE) return
        after = last
      }
    },
  }
}
