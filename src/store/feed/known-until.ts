// Up to when all is known, by two clocks: one that nobody sets, and one that goes on while the machine sleeps.
import type { Clock } from '../../clock.ts'

export interface KnownUntil {
  /** By the steady clock. */
  readonly asOf: number
  /** Never goes back. */
  extend: (asOf: number) => void
  lose: () => void
  /** By whichever clock says that it is longer ago. */
  isWithin: (ms: number) => boolean
}

export function knownUntil({ epochMs, steadyMs }: Pick<Clock, 'epochMs' | 'steadyMs'>): KnownUntil {
  let asOf = -Infinity
  let asOfEpochMs = -Infinity
  return {
    get asOf() {
      return asOf
    },
    extend: (at) => {
      if (at <= asOf) return
      asOf = at
      asOfEpochMs = epochMs() - (steadyMs() - at)
    },
    lose: () => {
      asOf = -Infinity
      asOfEpochMs = -Infinity
    },
    isWithin: (ms) => Math.max(steadyMs() - asOf, epochMs() - asOfEpochMs) <= ms,
  }
}
