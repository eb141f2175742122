// Tells the system log and /readyz what goes wrong with Redis: each reason once a minute, and what stands now.
import { AuthError } from '../../auth/errors.ts'
import type { SystemLog } from '../../ops/log.ts'
import { redisFailure, redisFailureDetail, type RedisFailure } from '../redis/redis-failure.ts'

export interface FailureLog {
  note: (error: unknown) => void
  /** Redis can be reached, and has taken the credentials. */
  noteConnected: () => void
  /** The last failure, if that was within the last three seconds. */
  standing: () => RedisFailure | null
}

const AGAIN_AFTER_MS = 60_000
/** While something is wrong, something fails every second. */
const LATELY_MS = 3000

export function failureLog(log: SystemLog, now: () => number = () => performance.now()): FailureLog {
  const toldAt = new Map<string, number>()
  let last: { failure: RedisFailure; at: number } | null = null

  return {
    note: (error) => {
      // Postgres tells of its own outages.
      if (error instanceof AuthError) return
      const failure = redisFailure(error)
      last = { failure, at: now() }
      const reason = redisFailureDetail(error)
      if (now() - (toldAt.get(reason) ?? -Infinity) < AGAIN_AFTER_MS) return
      if (toldAt.size >= 100) toldAt.clear()
      toldAt.set(reason, now())
      log.warn({ reason }, `Redis fails: ${failure.sentence}`)
    },
    noteConnected: () => {
      // A command that is refused on a connection may go on being refused on the next.
      const kind = last?.failure.kind
      if (kind === 'no-answer' || kind === 'loading' || kind === 'wrong-credentials') last = null
    },
    standing: () => (last && now() - last.at < LATELY_MS ? last.failure : null),
  }
}
