// The AttemptCounters port over Redis; in memory whenever Redis does not answer, and where there is none.
import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { AttemptCounters } from '../../auth/ports/attempts.ts'
import type { SystemLog } from '../../ops/log.ts'
import { boundedAttemptCounters } from './bounded-attempt-counters.ts'

/** How long a store that failed is left alone. */
const PAUSE_MS = 1000

/**
 * Counts of all instances are one as long as Redis answers. Each call waits for Redis as long as one
 * command may take, and not at all while the connection is down. Every key has a time to live.
 */
export function attemptCounters(redis: Redis | Cluster | null, log: SystemLog): AttemptCounters {
  // Whole milliseconds: a rounding error above 60 seconds is no 61st second to wait.
  const memory = boundedAttemptCounters(() => Math.floor(performance.now()))
  return hashingKeys(redis ? insured(redisAttemptCounters(redis), memory, log) : memory)
}

function redisAttemptCounters(redis: Redis | Cluster): AttemptCounters {
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    rejectIfRedisNotReady: true,
    keyPrefix: 'attempts',
    // The policy is none of the limiter's business: it counts, for as long as each call says.
    points: 1,
    duration: 1,
  })

  return {
    peek: async ({ name }, key) => {
      const counted = await limiter.get(`${name}:${key}`)
      return { count: counted?.consumedPoints ?? 0, resetMs: Math.max(counted?.msBeforeNext ?? 0, 0) }
    },
    count: async ({ name, seconds }, key) => {
      const counted = await limiter.penalty(`${name}:${key}`, 1, { customDuration: seconds })
      return { count: counted.consumedPoints, resetMs: counted.msBeforeNext }
    },
    clear: async ({ name }, key) => {
      await limiter.delete(`${name}:${key}`)
    },
  }
}

/**
 * Counts in memory whenever the store fails, and for a moment after: a login takes several steps, and
 * none of them is to wait for a store that hangs. (The library's own insurance keeps a timer for each
 * key, and as many keys as anyone likes to make up.)
 */
function insured(store: AttemptCounters, memory: AttemptCounters, log: SystemLog): AttemptCounters {
  let pausedUntil = 0
  let isStoreUsed = true

  async function either<T>(ask: (counters: AttemptCounters) => Promise<T>): Promise<T> {
    if (performance.now() < pausedUntil) return await ask(memory)
    try {
      const answer = await ask(store)
      if (!isStoreUsed) log.info('attempts to log in are counted in Redis again')
      isStoreUsed = true
      return answer
    } catch (error) {
      if (isStoreUsed)
        log.warn(
          { reason: (error as Error).message },
          'attempts to log in are counted by this instance alone: Redis fails',
        )
      isStoreUsed = false
      pausedUntil = performance.now() + PAUSE_MS
      return await ask(memory)
    }
  }

  return {
    peek: async (window, key) => await either(async (counters) => await counters.peek(window, key)),
    count: async (window, key) => await either(async (counters) => await counters.count(window, key)),
    clear: async (window, key) => {
      // Also what an outage has left, for the next one.
      await memory.clear(window, key)
      await either(async (counters) => {
        await counters.clear(window, key)
      })
    },
  }
}

/** People type passwords into username fields; and keys stay short. */
function hashingKeys(counters: AttemptCounters): AttemptCounters {
  const hashed = (key: string): string => createHash('sha256').update(key).digest('base64url')
  return {
    peek: async (window, key) => await counters.peek(window, hashed(key)),
    count: async (window, key) => await counters.count(window, hashed(key)),
    clear: async (window, key) => {
      await counters.clear(window, hashed(key))
    },
  }
}
