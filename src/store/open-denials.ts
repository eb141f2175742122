// Opens all that knows of denials in one instance: the denylist with its relay, the feed with its memory, the mender.
import type { DenialFeed, Denylist } from '../auth/ports/denials.ts'
import type { Clock } from '../clock.ts'
import type { SystemLog } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import { vouchFeed } from './vouching/vouch-feed.ts'
import { absentDenylist } from './absent-denylist.ts'
import { denialFeed, type FeedTimes } from './feed/denial-feed.ts'
import { follow } from './feed/follow.ts'
import { mendJournal } from './feed/mend-journal.ts'
import { publishingDenylist } from './feed/publishing-denylist.ts'
import { runFeed } from './feed/run-feed.ts'
import type { Instances } from './postgres/instances.ts'
import type { JournalMender } from './postgres/journal-mender.ts'
import type { JournalClock, JournalReader } from './postgres/journal-reader.ts'
import type { Locks } from './postgres/locks.ts'
import { announcements } from './redis/announcements.ts'
import { journalView } from './relay/journal-view.ts'
import { paceOf } from './pace.ts'
import { openDenylist, type RedisParts } from './relay/open-denylist.ts'

export interface DenialsOptions extends FeedTimes {
  clock: Clock
  /** Of this process; no other ever has it. */
  instanceId: string
  /** A text that nobody else has, each time. */
  randomId: () => string
  issuer: string
  /** Of the denylist, as it is parted in Redis; `00` is one of them. */
  partitions: readonly string[]
  /** `null` without Redis. */
  redis: RedisParts | null
  journal: JournalReader
  mender: JournalMender
  locks: Locks
  instances: Instances
  isProduction: boolean
  log: SystemLog
  metrics: Metrics
}

export interface Denials {
  denylist: Denylist
  feed: DenialFeed
  /** The state of each part in its own words, `ok` when all is well. */
  readiness(): Record<string, string>
  /** The names of the settings in which the instances differ, though they must not. */
  differingSettings: () => readonly string[]
  close(): Promise<void>
}

export function openDenials(options: DenialsOptions): Denials {
  const { clock, redis, randomId, journal, log, metrics } = options
  const feed = denialFeed(options, clock)
  const view = journalView(options)
  const journalName = (): string | null => view.journalName
  const pace = paceOf(options.leaseSeconds)
  const open = redis && openDenylist({ ...options, ...pace, redis, view, isHeld: feed.isHeld })
  const heard = redis && announcements({ connection: redis.announcements, clock, randomId })

  let journalClock: JournalClock | null = null
  const mending = mendJournal({
    clock,
    held: feed.held,
    mender: options.mender,
    onMended: (ids) => {
      metrics.denylistRepaired({ from: 'memory', to: 'journal', denials: ids.length })
      log.error(
        { denials: ids.length },
        'denials were missing in the journal, and are journaled again: has Postgres lost what it had committed?',
      )
    },
  })
  const running = runFeed({
    clock,
    intervalMs: pace.intervalMs,
    feed,
    announcements: heard,
    journalName,
    log,
    metrics,
    following: follow({
      clock,
      postgresPatienceMs: pace.postgresPatienceMs,
      feed,
      journal,
      vouch:
        redis && heard
          ? async (readAt) => {
              const { announcements: connection } = redis
              const believes = view.believesWatermark
              await vouchFeed({ clock, feed, connection, announcements: heard, believes }, readAt)
            }
          : null,
      onClock: (read) => {
        journalClock = read
      },
    }),
    afterwards: async (signal) => {
      const read = journalClock
      journalClock = null
      if (read) await mending.step(read.serverEpoch, signal).catch(() => undefined)
    },
  })

  return {
    denylist: publishingDenylist(open?.denylist ?? absentDenylist(feed.isHeld), feed),
    feed,
    readiness: () => open?.readiness() ?? {},
    differingSettings: () => open?.differingSettings() ?? [],
    close: async () => {
      await Promise.all([open?.close(), running.stop()])
    },
  }
}
