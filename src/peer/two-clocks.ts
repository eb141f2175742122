// One moment by two clocks, so that neither a clock that is set nor a machine that sleeps makes it younger.

export interface Moment {
  /** Milliseconds, by a clock that nobody sets. */
  monotonicMs: number
  /** Milliseconds since 1970; this one goes on while the machine sleeps. */
  epochMs: number
}

export function currentMoment(): Moment {
  return { monotonicMs: performance.now(), epochMs: Date.now() }
}

/** The longer of what the two clocks say. */
export function secondsBetween(from: Moment, to: Moment): number {
  return Math.max(to.monotonicMs - from.monotonicMs, to.epochMs - from.epochMs) / 1000
}
