// Whether checks ask Redis, as the log, the metrics and /readyz tell it: what each tick of the relay has found.
import { PARTITIONS } from '../../contract/denylist-keys.ts'
import type { SystemLog } from '../../ops/log.ts'
import type { Metrics } from '../../ops/metrics.ts'
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { RedisDenylist } from '../redis/redis-denylist.ts'
import type { TickFindings } from './relay-tick.ts'

export interface TrustReportDeps {
  denylist: Pick<RedisDenylist, 'requiredUpTo'>
  log: SystemLog
  metrics: Pick<Metrics, 'denylistTrusted' | 'denylistLag' | 'relaying'>
  /** Milliseconds that only grow. */
  now?: () => number
}

export interface TrustReport {
  isTrusted: () => boolean
  lose: () => void
  note: (found: TickFindings) => void
}

/** A statement has two seconds; what writes for longer than that is somebody else's. */
const LONG_TRANSACTION_MS = 10_000
const AGAIN_AFTER_MS = 60_000

export function trustReport({
  denylist,
  log,
  metrics,
  now = () => performance.now(),
}: TrustReportDeps): TrustReport {
  let isTrusted = false
  /** What Postgres's clock said, and when. */
  let clock: { nowMs: JournalTime; readAt: number } | null = null
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
    if (postgres) clock = { nowMs: postgres.nowMs, readAt: now() }
    if (states.length > 0) furthestBehind = Math.min(...states.map(({ relayedUpTo }) => relayedUpTo))
    if (!clock) return
    const lagMs = clock.nowMs + (now() - clock.readAt) - furthestBehind
    metrics.denylistLag(furthestBehind === 0 ? Infinity : lagMs / 1000)
  }

  function tellHeldUp({ postgres }: TickFindings): void {
    const seconds = postgres ? Math.round((postgres.nowMs - postgres.settledUpTo) / 1000) : 0
    if (seconds * 1000 < LONG_TRANSACTION_MS || now() - heldUpToldAt < AGAIN_AFTER_MS) return
    heldUpToldAt = now()
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
      const { requiredUpTo } = denylist
      const inLine = found.states.filter(
        ({ isSynced, relayedUpTo }) => isSynced && relayedUpTo > requiredUpTo,
      )
      set(inLine.length === PARTITIONS.length)
    },
  }
}
