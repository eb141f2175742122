// Whether checks ask Redis, as the log, the metrics and /readyz tell it: what each tick of the relay has found.
import type { Clock } from '../../clock.ts'
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { SystemLog } from '../../ops/log.ts'
import type { Metrics } from '../../ops/metrics.ts'
import type { RequiredUpTo } from '../vouching/required-up-to.ts'
import type { JournalView } from './journal-view.ts'
import type { TickFindings } from './relay-tick.ts'

export interface TrustReportDeps {
  clock: Pick<Clock, 'steadyMs'>
  partitions: readonly string[]
  required: Pick<RequiredUpTo, 'requiredUpTo'>
  view: Pick<JournalView, 'believesWatermark'>
  log: SystemLog
  metrics: Pick<Metrics, 'denylistTrusted' | 'denylistLag' | 'relaying'>
}

export interface TrustReport {
  isTrusted: () => boolean
  lose: () => void
  note: (found: TickFindings) => void
}

/** A statement has two seconds; one that writes for longer than that is somebody else's. */
const LONG_TRANSACTION_MS = 10_000
const AGAIN_AFTER_MS = 60_000

export function trustReport({
  clock,
  partitions,
  required,
  view,
  log,
  metrics,
}: TrustReportDeps): TrustReport {
  let isTrusted = false
  /** The last word of Postgres's clock, and when it was said. */
  let journalClock: { nowMs: JournalTime; readAt: number } | null = null
  let furthestBehind: JournalTime = 0
  let heldUpToldAt = -Infinity

  function set(isNow: boolean): void {
    if (isNow === isTrusted) return
    isTrusted = isNow
    metrics.denylistTrusted(isNow)
    if (isNow) log.info('Redis agrees with the journal: checks ask Redis')
    else log.warn('Redis is not known to agree with the journal: checks ask Postgres')
  }

  /** Goes on growing while Redis is away. */
  function tellLag({ states, postgres }: TickFindings): void {
    if (postgres) journalClock = { nowMs: postgres.clock.nowMs, readAt: clock.steadyMs() }
    if (states.length > 0)
      furthestBehind = Math.min(...states.map(({ position }) => position?.relayedUpTo ?? 0))
    if (!journalClock) return
    const lagMs = journalClock.nowMs + (clock.steadyMs() - journalClock.readAt) - furthestBehind
    metrics.denylistLag(furthestBehind === 0 ? Infinity : lagMs / 1000)
  }

  function tellHeldUp({ postgres }: TickFindings): void {
    const seconds = postgres ? Math.round((postgres.clock.nowMs - postgres.clock.settledUpTo) / 1000) : 0
    if (seconds * 1000 < LONG_TRANSACTION_MS || clock.steadyMs() - heldUpToldAt < AGAIN_AFTER_MS) return
    heldUpToldAt = clock.steadyMs()
    log.warn(
      { seconds },
      'a transaction has been writing for long, and holds up the watermarks: see xact_start in pg_stat_activity',
    )
  }

  return {
    isTrusted: () => isTrusted,
    lose: () => {
      set(false)
    },
    note: (found) => {
      metrics.relaying(found.isLeader)
      tellLag(found)
      tellHeldUp(found)
      const inLine = found.states.filter(
        ({ watermark }) =>
          watermark !== null &&
          watermark.relayedUpTo > required.requiredUpTo &&
          view.believesWatermark(watermark),
      )
      set(inLine.length === partitions.length)
    },
  }
}
