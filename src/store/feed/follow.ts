// One step of following what is denied: by the journal, or while that cannot be read by what Redis vouches for.
import { within, type Clock } from '../../clock.ts'
import { OVERLAP_MS, type JournalClock, type JournalReader } from '../postgres/journal-reader.ts'
import type { FilledFeed } from './denial-feed.ts'

/** Requests are answered in between. */
const BATCH_SIZE = 1000

export interface FollowDeps {
  clock: Clock
  /** For how many milliseconds Postgres is waited for; what it answers in the end counts all the same. */
  postgresPatienceMs: number
  feed: FilledFeed
  journal: JournalReader
  /** Another way to tell that the feed is complete, `readAt` being when the journal was read last. Never without Redis. */
  vouch: ((readAt: number) => Promise<void>) | null
  /** Hears of each reading of the journal's clock. */
  onClock: (clock: JournalClock) => void
}

export interface Follow {
  /** Resolves to whether the journal has answered. Never rejects. */
  step(): Promise<boolean>
}

export function follow(deps: FollowDeps): Follow {
  const { clock, postgresPatienceMs, feed, journal, vouch } = deps
  /** When the last reading of the journal that succeeded was begun, by the steady clock. */
  let readAt = -Infinity
  let readEpoch: string | null = null
  let reading: Promise<boolean> | null = null

  return {
    step: async () => {
      reading ??= read().then(
        () => true,
        () => false,
      )
      const isRead = await within(clock, { ms: postgresPatienceMs, late: null }, reading)
      if (isRead !== null) reading = null
      if (isRead !== true && vouch) await vouch(readAt).catch(() => undefined)
      return isRead === true
    },
  }

  async function read(): Promise<void> {
    const askedAt = clock.steadyMs()
    const journalClock = await journal.clock()
    deps.onClock(journalClock)
    for await (const rows of journal.readSince(sinceFor(journalClock), BATCH_SIZE)) feed.read(rows)
    readAt = askedAt
    readEpoch = journalClock.serverEpoch
    const name = `${journalClock.databaseId} ${journalClock.serverEpoch}`
    feed.journaled(askedAt, { position: journalClock.settledUpTo, name })
  }

  /** From where on something may be new. A row that commits late is as old as its transaction, however old that is. */
  function sinceFor({ nowMs, settledUpTo, serverEpoch }: JournalClock): number {
    // After a failover the journal may count its time anew.
    const isFollowed = feed.position > 0 && serverEpoch === readEpoch
    // A clock that was set back must not hide what is written now.
    const from = isFollowed
      ? Math.min(feed.position, settledUpTo)
      : Math.min(nowMs - feed.windowMs, settledUpTo)
    return from - OVERLAP_MS
  }
}
