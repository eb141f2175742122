// How one simulated world is set up: all of it follows from its seed.
import { seededRandom } from '../fault/random.ts'
import type { RedisShape } from './redis/simulated-redis.ts'

export interface Settings {
  shape: RedisShape
  instances: number
  leaseSeconds: number
  leewaySeconds: number
  accessTtlSeconds: number
  refreshTtlSeconds: number
  graceSeconds: number
  /** By how much clocks are apart, at the most. */
  clocksApartMs: number
  /** A second deployment on the same Redis: on a copy of the database, or on one of its own. */
  second: 'none' | 'copy' | 'other database'
  /** How long faults may begin, in milliseconds. */
  faultsForMs: number
  /**
   * Whether the world goes on until a sweep has come round, and then loses its Redis: everything must be in the journal
   * by then. This takes as long as the faults, so that only some do it.
   */
  isSwept: boolean
  /** Whether Postgres alone goes away once everything is healed: peers must not notice. */
  isBridged: boolean
}

/** Partitions are few, so that each has much to do. */
export const SIMULATED_PARTITIONS: readonly string[] = ['00', '01', '02', '03']

const SECOND_SHARE = 0.06
const SWEPT_SHARE = 0.25
const BRIDGED_SHARE = 0.1

export function settingsOf(seed: number): Settings {
  const random = seededRandom(seed * 2 + 1)
  const leewaySeconds = random.pick([1, 2, 5])
  const accessTtlSeconds = random.pick([15, 30, 60])
  return {
    shape: random.pick(['standalone', 'standalone', 'sentinel', 'cluster', 'cluster'] as const),
    instances: random.pick([2, 2, 2, 3]),
    leaseSeconds: random.pick([3, 5, 5, 8]),
    leewaySeconds,
    accessTtlSeconds,
    // In some worlds sessions expire while they are watched.
    refreshTtlSeconds: random.pick([accessTtlSeconds + 5, 240, 400, 400]),
    graceSeconds: random.pick([5, 20]),
    // Of two clocks one may be ahead, and the other behind.
    clocksApartMs: (leewaySeconds * 1000) / 2.5,
    second: random.chance(SECOND_SHARE) ? random.pick(['copy', 'other database'] as const) : 'none',
    faultsForMs: random.pick([15_000, 25_000, 40_000]),
    isSwept: random.chance(SWEPT_SHARE),
    isBridged: random.chance(BRIDGED_SHARE),
  }
}
