// Values in a Redis of one process, with their expiry: what the smaller parts of the denylist ask of it.
import type { Clock } from '../../../src/clock.ts'
import type { RedisCommands } from '../../../src/store/redis/redis-commands.ts'

export interface FewValues extends Pick<RedisCommands, 'mget' | 'set'> {
  /** From here on nothing is answered, until it is taken back. */
  isAway: boolean
  lose(key: string): void
}

/** Several instances may share one. */
export function fewValues(clock: Pick<Clock, 'steadyMs'>): FewValues {
  const values = new Map<string, { value: string; until: number }>()
  const redis: FewValues = {
    isAway: false,
    mget: async (keys) => {
      answer()
      return await Promise.resolve(
        keys.map((key) => {
          const found = values.get(key)
          return found && found.until > clock.steadyMs() ? found.value : null
        }),
      )
    },
    set: async (key, value, ttlMs) => {
      answer()
      values.set(key, { value: String(value), until: clock.steadyMs() + ttlMs })
      await Promise.resolve()
    },
    lose: (key) => {
      values.delete(key)
    },
  }
  return redis

  function answer(): void {
    if (redis.isAway) throw new Error('Redis is away')
  }
}
