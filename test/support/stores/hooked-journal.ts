// A journal that does something of the test's own before or while the relay reads it.
import type { JournalReader } from '../../../src/store/postgres/journal-reader.ts'

export interface JournalHooks {
  beforeRead?: () => Promise<void>
  /** With each batch that was read, before it is handed out. */
  onBatch?: () => Promise<void>
  /** When all is read. */
  afterRead?: () => Promise<void>
}

/** `hooks` can be changed at any time. */
export function hookedJournal(journal: JournalReader, hooks: JournalHooks): JournalReader {
  return {
    ...journal,
    async *readSince(since) {
      await hooks.beforeRead?.()
      for await (const rows of journal.readSince(since)) {
        await hooks.onBatch?.()
        yield rows
      }
      await hooks.afterRead?.()
    },
  }
}
