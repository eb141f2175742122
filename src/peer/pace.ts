// When things happen in the background of a verifier, and what is left to chance: as one thing to hand in.
import { pause, repeat } from './background.ts'
import { currentMoment, type Moment } from './two-clocks.ts'

export interface Pace {
  moment: () => Moment
  /** Returns what ends it. */
  repeat: (everyMs: number, work: () => void) => () => void
  /** Resolves after `delayMs`, or at once when `signal` is aborted. */
  pause: (delayMs: number, signal: AbortSignal) => Promise<void>
  /** From 0 to 1. */
  random: () => number
}

export const systemPace: Pace = { moment: currentMoment, repeat, pause, random: Math.random }
