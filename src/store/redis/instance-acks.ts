// What each instance says of itself in Redis: up to when all that it acknowledged is in there.
import type { RedisConnection } from './connection/redis-connection.ts'

export interface InstanceAcks {
  /** The clock of the Redis that keeps these words, in milliseconds. */
  clock(): Promise<number>
  /** Says for this instance that nothing it acknowledged before `redisMs` is missing. */
  say(redisMs: number): Promise<void>
  /** How long ago the one said it for whom that is longest; `null` when one of them never did, or not lately. */
  oldestAgeMs(instanceIds: string[]): Promise<number | null>
}

/** Of no use to anybody long before that. */
const KEPT_MS = 60_000

const CLOCK = `
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000)`

const AGE = `
local said = redis.call('GET', KEYS[1])
if not said then return -1 end
local time = redis.call('TIME')
return time[1] * 1000 + math.floor(time[2] / 1000) - said`

export function instanceAcks({ client }: Pick<RedisConnection, 'client'>, instanceId: string): InstanceAcks {
  return {
    clock: async () => (await client.eval(CLOCK, 1, keyOf(instanceId))) as number,

    say: async (redisMs) => {
      await client.set(keyOf(instanceId), redisMs, 'PX', KEPT_MS)
    },

    oldestAgeMs: async (instanceIds) => {
      const ages = await Promise.all(
        instanceIds.map(async (id) => (await client.eval(AGE, 1, keyOf(id))) as number),
      )
      return ages.length === 0 || ages.some((age) => age < 0) ? null : Math.max(...ages)
    },
  }
}

function keyOf(instanceId: string): string {
  return `denylist:instance:${instanceId}`
}
