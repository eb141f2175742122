// Up to when all is known, by two clocks: one that nobody sets, and one that goes on while the machine sleeps.

export interface FeedClocks {
  /** Milliseconds since 1970, as replicas have them. */
  epochMs: () => number
  /** Milliseconds that only grow: a clock that is set must not make the feed forget. */
  steadyMs: () => number
}

export interface KnownUntil {
  /** By the steady clock. */
  readonly asOf: number
  /** Never goes back. */
  extend: (asOf: number) => void
  lose: () => void
  /** By whichever clock says that it is longer ago. */
  isWithin: (ms: number) => boolean
}

export function knownUntil({ epochMs, steadyMs }: FeedClocks): KnownUntil {
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
