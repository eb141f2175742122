// The metrics of the feed: what it holds, and who reads it.
import { Counter, Gauge, type Registry } from 'prom-client'

export interface FeedMetrics {
  /** These say what the feed for replicas holds, and whether it may be believed. */
  feedHolds: (held: { denials: number; isKnown: boolean }) => void
  /** How many replicas read the feed from this instance. */
  feedReaders: (count: number) => void
  /** A replica was too slow for the feed. */
  feedReaderCut: () => void
}

export function feedMetrics(registers: Registry[]): FeedMetrics {
  const feedKnown = new Gauge({
    name: 'signoff_feed_known',
    help: '1 while replicas are fed by this instance, 0 while it cannot tell whether it knows of all denials.',
    registers,
  })
  const feedDenials = new Gauge({
    name: 'signoff_feed_denials',
    help: 'Denials that this instance holds for replicas.',
    registers,
  })
  const feedReaders = new Gauge({
    name: 'signoff_feed_readers',
    help: 'Replicas that read the feed from this instance.',
    registers,
  })
  const feedReadersCut = new Counter({
    name: 'signoff_feed_readers_cut_total',
    help: 'Replicas that did not read the feed fast enough, and were disconnected.',
    registers,
  })

  return {
    feedHolds: ({ denials, isKnown }) => {
      feedDenials.set(denials)
      feedKnown.set(isKnown ? 1 : 0)
    },
    feedReaders: (count) => {
      feedReaders.set(count)
    },
    feedReaderCut: () => {
      feedReadersCut.inc()
    },
  }
}
