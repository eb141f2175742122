// Keeps the feed filled for as long as the service runs: from the journal, and from the announcements.
import { sleep, type Clock } from '../../clock.ts'
import type { SystemLog } from '../../ops/log.ts'
import type { FeedMetrics } from '../../ops/feed-metrics.ts'
import type { Announcements } from '../redis/announcements.ts'
import type { FilledFeed } from './denial-feed.ts'
import type { Follow } from './follow.ts'

/** A step that takes long is followed by a rest, in which requests are answered. */
const MAX_REST_MS = 500
/** Of an interval, while only Redis vouches: its word is older. */
const WITHOUT_POSTGRES_SHARE = 0.5
/** Redis is away, or hangs. */
const PAUSE_MS = 200

export interface RunFeedDeps {
  clock: Clock
  /** Milliseconds from one look at the journal to the next. */
  intervalMs: number
  feed: FilledFeed
  following: Follow
  /**
   * Begun after each step, unless the last one is under way still: however long it takes, the feed goes on. Ends soon
   * after `signal` is aborted; never rejects.
   */
  afterwards: (signal: AbortSignal) => Promise<void>
  /** `null` without Redis. */
  announcements: Announcements | null
  /** The name of the journal; `null` as long as Postgres has not told it. */
  journalName: () => string | null
  log: SystemLog
  metrics: Pick<FeedMetrics, 'feedHolds'>
}

export interface RunningFeed {
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>
}

export function runFeed(deps: RunFeedDeps): RunningFeed {
  const { clock, feed, following, announcements, journalName } = deps
  const report = feedReport(deps)
  const stopping = new AbortController()
  let after: Promise<void> | null = null
  /** Something was taken though nobody knew whether it is of this journal. */
  let isMixed = false
  const loops = [loop(followOn)]
  if (announcements)
    loops.push(
      loop(async () => {
        await listen(announcements)
      }),
    )

  return {
    stop: async () => {
      stopping.abort()
      await Promise.all(loops)
      await after
    },
  }

  async function loop(turn: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) await turn()
  }

  async function followOn(): Promise<void> {
    const startedAt = clock.steadyMs()
    const isRead = await following.step()
    feed.prune()
    report()
    after ??= deps.afterwards(stopping.signal).then(() => {
      after = null
    })
    const tookMs = clock.steadyMs() - startedAt
    const intervalMs = isRead ? deps.intervalMs : deps.intervalMs * WITHOUT_POSTGRES_SHARE
    const restMs = Math.max(intervalMs - tookMs, Math.min(tookMs, MAX_REST_MS))
    await sleep(clock, restMs, stopping.signal)
  }

  async function listen(to: Announcements): Promise<void> {
    try {
      if (isMixed && journalName() !== null) {
        isMixed = false
        to.beginAnew()
      }
      const announced = await to.next()
      const own = journalName()
      if (own !== null) feed.hear(announced.filter((denial) => denial.journalName === own))
      else if (announced.length > 0) {
        // All of them may be of this journal. To deny too much for a while does no harm, to journal it would.
        feed.hear(announced, { isAcknowledged: false })
        isMixed = true
      }
    } catch {
      await sleep(clock, PAUSE_MS, stopping.signal)
    }
  }
}

/** Says when the feed begins and ceases to be one that replicas may believe. */
function feedReport({ feed, log, metrics }: Pick<RunFeedDeps, 'feed' | 'log' | 'metrics'>): () => void {
  let wasKnown = false
  return () => {
    const { isKnown } = feed
    metrics.feedHolds({ denials: feed.end - feed.begin, isKnown })
    if (isKnown !== wasKnown) {
      if (isKnown) log.info('the feed of denials is complete: replicas are served')
      else log.warn('the feed of denials is not known to be complete: replicas are sent away')
    }
    wasKnown = isKnown
  }
}
