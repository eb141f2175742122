// Opens the feed: follows the journal and the announcements for as long as the service runs.
import { setTimeout as sleep } from 'node:timers/promises'
import type { SystemLog } from '../../ops/log.ts'
import type { Metrics } from '../../ops/metrics.ts'
import type { JournalReader } from '../postgres/journal-reader.ts'
import { announcements, type Announcements } from '../redis/announcements.ts'
import { connectRedis } from '../redis/connection/connect-redis.ts'
import { denialFeed, type FeedTimes, type FilledFeed } from './denial-feed.ts'
import { follow } from './follow.ts'

const INTERVAL_MS = 1000
/** What Redis vouches for is older. */
const WITHOUT_POSTGRES_INTERVAL_MS = 500
/** Redis is away, or hangs. */
const PAUSE_MS = 200

export interface FeedOptions extends FeedTimes {
  journal: JournalReader
  /** `null`: without Redis. */
  redisUrl: string | null
  log: SystemLog
  metrics: Metrics
}

export interface OpenFeed {
  feed: FilledFeed
  close: () => Promise<void>
}

export function openFeed({ journal, redisUrl, log, metrics, ...times }: FeedOptions): OpenFeed {
  const feed = denialFeed(times)
  // What is wrong with Redis is told by those who check with it.
  const connection = redisUrl === null ? null : connectRedis(redisUrl, () => undefined)
  const redis = connection && { connection, announcements: announcements(connection) }
  const following = follow({ feed, journal, redis })
  const report = feedReport(feed, { log, metrics })
  const stopping = new AbortController()

  const loops = [loop(followOn)]
  if (redis)
    loops.push(
      loop(async () => {
        await listen(redis.announcements)
      }),
    )

  return {
    feed,
    close: async () => {
      stopping.abort()
      connection?.close()
      await Promise.all(loops)
    },
  }

  async function loop(turn: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) await turn()
  }

  async function pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined)
  }

  async function followOn(): Promise<void> {
    const startedAt = performance.now()
    const isRead = await following.step()
    feed.prune()
    report()
    const intervalMs = isRead ? INTERVAL_MS : WITHOUT_POSTGRES_INTERVAL_MS
    await pause(Math.max(0, startedAt + intervalMs - performance.now()))
  }

  async function listen(to: Announcements): Promise<void> {
    try {
      feed.hear(await to.next())
    } catch {
      await pause(PAUSE_MS)
    }
  }
}

/** Says when the feed begins and ceases to be one that replicas may believe. */
function feedReport(feed: FilledFeed, { log, metrics }: Pick<FeedOptions, 'log' | 'metrics'>): () => void {
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
