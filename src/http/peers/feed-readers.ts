// The readers of the feed: each at its own pace from the one list of denials, and none that holds others up.
import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { AuthError } from '../../auth/errors.ts'
import type { DenialFeed } from '../../auth/ports/denials.ts'
import { every, sleep, systemClock, type Clock } from '../../clock.ts'
import type { Metrics } from '../../ops/metrics.ts'
import { feedFrames } from './feed-frames.ts'
import { feedPlaces, type FeedPlaces } from './feed-places.ts'
import { feedReader, type FeedReader, type FeedRequest } from './feed-reader.ts'

export interface FeedReaders {
  /** The feed as bytes, for one reader. Throws `unavailable` while the feed cannot tell, or has no place for it. */
  open: (request: PeerFeedRequest) => Readable
  /** Sends every reader away, and takes no more. */
  close: () => void
}

export interface PeerFeedRequest extends FeedRequest {
  /** Of the peer that reads. */
  clientId: string
}

export interface FeedReadersDeps {
  feed: DenialFeed
  metrics: Pick<Metrics, 'feedReaders' | 'feedReaderCut'>
  places?: FeedPlaces
  clock?: Clock
  /** When its steady clock began, in milliseconds since 1970. */
  originMs?: number
  /** Resolves when all that waits has had its turn. */
  yieldToOthers?: () => Promise<void>
  /** From 0 to 1. */
  random?: () => number
}

/** Of the lease: readers of a feed that is older are sent away while they still have time to find a better one. */
const SERVED_SHARE = 0.7
/** Unread for so long, it is of no use to its reader. */
const MAX_STALL_MS = 10_000
/** Then a reader comes again: to whichever instance, and only if its credentials still count. */
const MAX_AGE_MS = 10 * 60_000
const SWEEP_MS = 1000
/** Readers served in one go. */
const SLICE = 64
/** However long it takes to serve all readers once, others get as much time, up to this. */
const MAX_REST_MS = 250

export function feedReaders(deps: FeedReadersDeps): FeedReaders {
  const { feed, metrics, clock = systemClock, originMs, random = Math.random } = deps
  const { yieldToOthers = setImmediate, places = feedPlaces() } = deps
  const now = (): number => clock.steadyMs()
  const readers = new Map<FeedReader, { clientId: string; comesAgainAtMs: number }>()
  const frames = feedFrames(feed, originMs)
  let news = { number: 0, end: 0, sync: frames.sync() }
  let asOf = -Infinity
  let isServing = false
  let isClosed = false
  const stopSweeping = every(clock, SWEEP_MS, sweep)
  feed.onNews(() => void serveAll())

  return {
    open: ({ clientId, ...request }) => {
      if (isClosed || !isServed() || !places.isFree(clientId)) throw new AuthError('unavailable')
      const reader = feedReader({ feed, frames, news: () => news, onGone: forget, now }, request)
      // Not all of those who came together come again together.
      readers.set(reader, { clientId, comesAgainAtMs: now() + MAX_AGE_MS * (0.8 + 0.2 * random()) })
      places.take(clientId)
      metrics.feedReaders(readers.size)
      return reader.stream
    },

    close: () => {
      isClosed = true
      stopSweeping()
      for (const reader of readers.keys()) reader.dismiss()
    },
  }

  function isServed(): boolean {
    return feed.isKnown && now() - feed.asOf <= feed.leaseSeconds * 1000 * SERVED_SHARE
  }

  function forget(reader: FeedReader): void {
    const gone = readers.get(reader)
    if (!gone) return
    readers.delete(reader)
    places.giveBack(gone.clientId)
    metrics.feedReaders(readers.size)
  }

  async function serveAll(): Promise<void> {
    if (isServing) return
    isServing = true
    // The caller that brought the news does not wait for all readers.
    await yieldToOthers()
    while (feed.end > news.end || feed.asOf > asOf) {
      takeNews()
      const startedAt = now()
      let served = 0
      for (const reader of readers.keys()) {
        reader.serve()
        served += 1
        if (served % SLICE === 0) await yieldToOthers()
      }
      const tookMs = now() - startedAt
      if (tookMs > 1) await sleep(clock, Math.min(tookMs, MAX_REST_MS))
    }
    isServing = false
  }

  function takeNews(): void {
    const isLater = feed.asOf > asOf
    asOf = feed.asOf
    news = {
      number: isLater ? news.number + 1 : news.number,
      end: feed.end,
      sync: isLater ? frames.sync() : news.sync,
    }
  }

  function sweep(): void {
    for (const [reader, { comesAgainAtMs }] of readers) {
      if (reader.stalledMs() > MAX_STALL_MS) {
        metrics.feedReaderCut()
        reader.stream.destroy()
      } else if (!isServed() || now() > comesAgainAtMs) {
        reader.dismiss()
      }
    }
  }
}
