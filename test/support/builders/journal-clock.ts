// What the journal's clock says of a Postgres with which nothing is wrong.
import type { JournalClock } from '../../../src/store/postgres/journal-reader.ts'

/** `over` replaces fields. */
export function journalClock(over: Partial<JournalClock> = {}): JournalClock {
  return {
    nowMs: 1_000_000,
    settledUpTo: 1_000_000,
    databaseId: '00000000-0000-4000-8000-000000000001',
    serverEpoch: '1-00000001',
    unfit: null,
    ...over,
  }
}
