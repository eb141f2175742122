// How far the clock of this machine is from those of Postgres and Redis: tokens and denials go by all three.
import type { Clock } from '../../clock.ts'
import type { SystemLog } from '../../ops/log.ts'
import type { Metrics } from '../../ops/metrics.ts'

export interface ClockOffsets {
  /** `readAtEpochMs`: what this machine's clock showed half way through the `roundTripMs` that reading took. */
  note(store: ClockStore, read: ClockReading): void
  /** The trouble with the clock, as a sentence that says what to do; `null` when there is none. */
  problem(): string | null
}

export type ClockStore = 'Postgres' | 'Redis'

export interface ClockReading {
  nowMs: number
  readAtEpochMs: number
  roundTripMs: number
}

const AGAIN_AFTER_MS = 60_000
/** Of a leeway of 0 seconds, half is still more than clocks that agree differ by. */
const LEAST_TOLERANCE_MS = 500

export interface ClockOffsetsDeps {
  clock: Clock
  leewaySeconds: number
  log: SystemLog
  metrics: Pick<Metrics, 'clockOffset'>
}

export function clockOffsets({ clock, leewaySeconds, log, metrics }: ClockOffsetsDeps): ClockOffsets {
  const problems = new Map<ClockStore, string>()
  const toleranceMs = Math.max(leewaySeconds * 500, LEAST_TOLERANCE_MS)
  let toldAt = -Infinity

  return {
    note: (store, { nowMs, readAtEpochMs, roundTripMs }) => {
      const offsetMs = readAtEpochMs - nowMs
      metrics.clockOffset(store.toLowerCase(), offsetMs / 1000)
      // The clock was read at some time between question and answer.
      if (Math.abs(offsetMs) - roundTripMs / 2 <= toleranceMs) {
        problems.delete(store)
        return
      }
      const seconds = (Math.abs(offsetMs) / 1000).toFixed(1)
      const direction = offsetMs > 0 ? 'ahead of' : 'behind'
      const problem = `the clock of this machine is ${seconds} s ${direction} that of ${store}, which is more than half of LEEWAY: set the clocks right (NTP)`
      problems.set(store, problem)
      if (clock.steadyMs() - toldAt < AGAIN_AFTER_MS) return
      toldAt = clock.steadyMs()
      log.warn({ seconds: offsetMs / 1000, of: store }, problem)
    },
    problem: () => problems.values().next().value ?? null,
  }
}
