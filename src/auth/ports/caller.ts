// The caller for whom a use case works.
import type { CallerAddress } from './log.ts'

export interface Caller extends CallerAddress {
  /**
   * Whether the answer is still waited for, as far as can be told; to be asked right before what costs much or cannot
   * be undone. A client that gave up has gone on elsewhere meanwhile.
   */
  isWaiting: () => boolean
  /**
   * Whether it still makes sense to begin a hash: one that begins later ends too late for the answer. Under load, where
   * all wait, each would otherwise be begun when it is too late for it.
   */
  isInTime: () => boolean
  /** Notes that long work for this caller has come a step further, and is not stuck. */
  noteProgress: () => void
}
