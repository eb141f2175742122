// How long a reader of the feed waits before it comes back, so that a thousand of them do not come at once.

export interface Attempts {
  /** In a row; 0 after a connection that did what it should. */
  failures: number
  /** The last one failed in a way that only somebody who acts can change, as wrong credentials. */
  isHopeless: boolean
  /** The wait that the service asked for, or 0. */
  retryAfterMs: number
}

const FIRST_MS = 100
const LONGEST_MS = 5_000
const HOPELESS_MS = 30_000
/** Nobody may send us away for longer. */
const MAX_RETRY_AFTER_MS = 30_000

/** `random` is from 0 to 1. */
export function reconnectDelayMs({ failures, isHopeless, retryAfterMs }: Attempts, random: number): number {
  if (failures === 0) return FIRST_MS * random
  const ceilingMs = isHopeless ? HOPELESS_MS : Math.min(LONGEST_MS, FIRST_MS * 2 ** failures)
  const jitteredMs = (ceilingMs / 2) * (1 + random)
  return Math.max(jitteredMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS) * (1 + random / 4))
}
