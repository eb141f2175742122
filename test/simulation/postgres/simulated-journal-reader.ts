// The journal of a simulated Postgres as relay and feed follow it.
import { AuthError } from '../../../src/auth/errors.ts'
import type {
  JournalBatch,
  JournalClock,
  JournalCursor,
  JournalReader,
} from '../../../src/store/postgres/journal-reader.ts'
import type { RevocationRow } from './postgres-rows.ts'
import type { PostgresClient, SimulatedPostgres } from './simulated-postgres.ts'
import { READS, READS_JOURNAL } from './simulated-ports.ts'

/** Small, so that rounds of several batches happen. */
const BATCH_SIZE = 50

export function simulatedJournalReader(postgres: SimulatedPostgres, client: PostgresClient): JournalReader {
  return {
    clock: async () =>
      await postgres.execute<JournalClock>(client, {
        ...READS,
        name: 'clock',
        work: (_rows, nowMs) => ({
          nowMs,
          settledUpTo: Math.min(nowMs, postgres.settledUpTo()),
          databaseId: postgres.databaseId,
          serverEpoch: postgres.serverEpoch,
          unfit: null,
        }),
      }),

    readBatch,

    async *readSince(since) {
      let after: JournalCursor | null = { createdAt: String(Math.max(since, 0)), seq: '0' }
      while (after) {
        const { rows, next }: JournalBatch = await readBatch(after, BATCH_SIZE)
        if (rows.length > 0) yield rows
        after = next
      }
    },
  }

  async function readBatch(after: JournalCursor | null, limit: number): Promise<JournalBatch> {
    if (limit < 1) throw new AuthError('failed')
    return await postgres.execute<JournalBatch>(client, {
      ...READS_JOURNAL,
      name: 'read batch',
      work: ({ revocations }, nowMs) => {
        const from = after ? { createdAtMs: Number(after.createdAt), seq: Number(after.seq) } : null
        const live: RevocationRow[] = []
        for (const row of revocations.values())
          if (row.expiresAtMs > nowMs && (!from || compare(row, from) > 0)) live.push(row)
        live.sort(compare)
        const rows = live.slice(0, limit).map(({ seq, deniedId, createdAtMs, expiresAtMs }) => ({
          seq: String(seq),
          id: deniedId,
          ttlMs: expiresAtMs - nowMs,
          createdAtMs,
        }))
        const last = rows.at(-1)
        const next =
          last && rows.length >= limit ? { createdAt: String(last.createdAtMs), seq: last.seq } : null
        return { rows, next }
      },
    })
  }
}

function compare(
  one: Pick<RevocationRow, 'createdAtMs' | 'seq'>,
  other: Pick<RevocationRow, 'createdAtMs' | 'seq'>,
) {
  return one.createdAtMs - other.createdAtMs || one.seq - other.seq
}
