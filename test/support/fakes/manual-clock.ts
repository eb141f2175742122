// A clock that stands still until a test moves it.
import type { EpochSeconds } from '../../../src/contract/claims.ts'

export interface ManualClock {
  now: () => EpochSeconds
  nowMs: () => number
  advance(seconds: number): void
}

export function manualClock(start: EpochSeconds = 1_800_000_000): ManualClock {
  let ms = start * 1000
  return {
    now: () => Math.floor(ms / 1000),
    nowMs: () => ms,
    advance: (seconds) => {
      ms += seconds * 1000
    },
  }
}
