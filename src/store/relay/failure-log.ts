// What goes wrong with Redis, for the system log: each reason once a minute, and whether it is for want of memory.
import { AuthError } from '../../auth/errors.ts'
import type { SystemLog } from '../../ops/log.ts'

export interface FailureLog {
  note: (error: unknown) => void
  /** Whether Redis refused something lately because it is full. */
  isFull: () => boolean
}

const AGAIN_AFTER_MS = 60_000
/** While it is full something is refused every second. */
const LATELY_MS = 3000

export function failureLog(log: SystemLog, now: () => number = () => performance.now()): FailureLog {
  const toldAt = new Map<string, number>()
  let fullAt = -Infinity

  return {
    note: (error) => {
      // Postgres tells of its own outages.
      if (error instanceof AuthError) return
      const reason = error instanceof Error ? error.message : String(error)
      if (reason.startsWith('OOM ')) fullAt = now()
      if (now() - (toldAt.get(reason) ?? -Infinity) < AGAIN_AFTER_MS) return
      if (toldAt.size >= 100) toldAt.clear()
      toldAt.set(reason, now())
      log.warn({ reason }, 'Redis fails: checks that it cannot answer ask Postgres')
    },
    isFull: () => now() - fullAt < LATELY_MS,
  }
}
