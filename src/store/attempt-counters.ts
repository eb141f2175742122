// The AttemptCounters port over Redis; in memory whenever Redis does not answer, and where there is none.
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { AttemptCount, AttemptCounters } from '../auth/ports.ts'
import { boundedAttemptCounters } from './bounded-attempt-counters.ts'

const PASS = 'pass'

/**
 * Counts up or down; what is at nothing is gone, so that attempts which were taken back leave no keys.
 * Without this, one taken back after its window would begin a new one at less than nothing.
 */
const COUNT_SCRIPT = `
local count = redis.call('incrby', KEYS[1], ARGV[1])
if count <= 0 then
  redis.call('del', KEYS[1])
  return {0, 0}
end
local ttl = redis.call('pttl', KEYS[1])
if ttl < 0 then
  redis.call('expire', KEYS[1], ARGV[2])
  ttl = 1000 * ARGV[2]
end
return {count, ttl}`

/**
 * Counts of all instances are one as long as Redis answers. Each call waits for Redis as long as one
 * command may take, and not at all while the connection is down. Every key has a time to live.
 */
export function attemptCounters(redis: Redis | null): AttemptCounters {
  // Whole milliseconds: a rounding error above 60 seconds is no 61st second to wait.
  const memory = boundedAttemptCounters(() => Math.floor(performance.now()))
  return hashingKeys(redis ? insured(redisAttemptCounters(redis), memory) : memory)
}

function redisAttemptCounters(redis: Redis): AttemptCounters {
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    rejectIfRedisNotReady: true,
    customIncrTtlLuaScript: COUNT_SCRIPT,
    keyPrefix: 'attempts',
    // What the policy decides is none of the limiter's business: it counts, for as long as each call says.
    points: 1,
    duration: 1,
  })

  async function add(name: string, key: string, seconds: number): Promise<AttemptCount> {
    const counted = await limiter.penalty(`${name}:${key}`, 1, { customDuration: seconds })
    return { count: counted.consumedPoints, resetMs: counted.msBeforeNext }
  }

  return {
    count: async ({ name, seconds }, key) => await add(name, key, seconds),
    uncount: async ({ name, seconds }, key) => {
      await limiter.reward(`${name}:${key}`, 1, { customDuration: seconds })
    },
    clear: async ({ name }, key) => {
      await limiter.delete(`${name}:${key}`)
    },
    pass: async (key, seconds) => {
      const { count, resetMs } = await add(PASS, key, seconds)
      return count === 1 ? 0 : Math.max(1, resetMs)
    },
  }
}

/** The library's own insurance keeps a timer for each key, and as many keys as anyone likes to make up. */
function insured(store: AttemptCounters, memory: AttemptCounters): AttemptCounters {
  return {
    count: async (window, key) => await store.count(window, key).catch(() => memory.count(window, key)),
    uncount: async (window, key) => {
      await store.uncount(window, key).catch(() => memory.uncount(window, key))
    },
    clear: async (window, key) => {
      // Also what an outage has left, for the next one.
      await memory.clear(window, key)
      await store.clear(window, key).catch(() => undefined)
    },
    pass: async (key, seconds) => await store.pass(key, seconds).catch(() => memory.pass(key, seconds)),
  }
}

/** People type passwords into username fields; and keys stay short. */
function hashingKeys(counters: AttemptCounters): AttemptCounters {
  const hashed = (key: string): string => createHash('sha256').update(key).digest('base64url')
  return {
    count: async (window, key) => await counters.count(window, hashed(key)),
    uncount: async (window, key) => {
      await counters.uncount(window, hashed(key))
    },
    clear: async (window, key) => {
      await counters.clear(window, hashed(key))
    },
    pass: async (key, seconds) => await counters.pass(hashed(key), seconds),
  }
}
