// Each instance says this of itself in Redis, as a heartbeat: all that I acknowledged up to then is in there.
import type { DenylistConnection } from './connection/redis-connection.ts'
import type { Script } from './redis-commands.ts'

export interface InstanceAcks {
  /** Says for this instance that nothing it acknowledged before `redisMs`, by the clock of partition 00, is missing. */
  say(redisMs: number): Promise<void>
  /**
   * Milliseconds since the time up to which each of the instances has said so, for the one where that is longest;
   * `null` when one of them never did, or not lately.
   */
  oldestAgeMs(instanceIds: readonly string[]): Promise<number | null>
}

/** Of no use to anybody long before that. */
const KEPT_MS = 60_000

/** Keys: the acknowledgements of some instances. Answers the age of each in milliseconds, -1 where there is none. */
export const ACK_AGES: Script = {
  name: 'ack-ages',
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answer = {}
for i = 1, #KEYS do
  local said = redis.call('GET', KEYS[i])
  answer[i] = said and now - said or -1
end
return answer`,
}

export function instanceAcks(
  { commands }: Pick<DenylistConnection, 'commands'>,
  instanceId: string,
): InstanceAcks {
  return {
    say: async (redisMs) => {
      await commands.set(ackKey(instanceId), redisMs, KEPT_MS)
    },

    oldestAgeMs: async (instanceIds) => {
      if (instanceIds.length === 0) return null
      const call = { script: ACK_AGES, keys: instanceIds.map(ackKey), args: [] }
      const ages = (await commands.run(call)) as number[]
      return ages.some((age) => age < 0) ? null : Math.max(...ages)
    },
  }
}

/** All in one partition, so that one call reads them. */
export function ackKey(instanceId: string): string {
  return `denylist:{00}:instance:${instanceId}`
}
