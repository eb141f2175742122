// The lock of the relay: the instance that holds it brings Redis in line with the journal.
import { every, type Clock } from '../../clock.ts'
import type { Locks } from '../postgres/locks.ts'

/** A holder that hangs or dies is followed by another well before the watermarks fall. */
const LOCK_SECONDS = 3
const RENEW_MS = 1000

export interface LeaderLock {
  /** Takes or renews it. Rejects with `unavailable` or `failed`. */
  hold(): Promise<boolean>
  release(): Promise<void>
  /** Renews it for as long as the work takes. Without it two may write, of whom each step lets one pass. */
  during<T>(work: () => Promise<T>): Promise<T>
}

export function leaderLock(locks: Locks, clock: Clock): LeaderLock {
  const hold = async (): Promise<boolean> => await locks.hold('relay', LOCK_SECONDS)
  return {
    hold,
    release: async () => {
      await locks.release('relay')
    },
    during: async (work) => {
      const stopRenewing = every(clock, RENEW_MS, () => {
        hold().catch(() => undefined)
      })
      try {
        return await work()
      } finally {
        stopRenewing()
      }
    },
  }
}
