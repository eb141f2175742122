// What can happen to a Redis of several servers, whoever appoints the master.
import type { Redis } from 'ioredis'
import type { TestRedis } from '../support/servers/redis.ts'
import type { Random } from './random.ts'
import type { RedisFault } from './redis-world.ts'

export interface ReplicatedRedis {
  /** One of them. */
  master: (random: Random) => Promise<TestRedis>
  /** Resolves when there is a master for every key, and a replica for every master. */
  settled: () => Promise<void>
}

/** Killed and started again, and hung: in the meantime its replica takes over. */
export function masterGone({ master, settled }: ReplicatedRedis): RedisFault[] {
  let gone: TestRedis | null = null
  const signalling = (signal: NodeJS.Signals): RedisFault['begin'] => {
    return async (random) => {
      gone = await master(random)
      await gone.signal(signal)
    }
  }
  return [
    {
      name: 'Redis master killed',
      begin: signalling('SIGKILL'),
      end: async () => {
        await gone?.start()
        await settled()
      },
    },
    {
      name: 'Redis master hung',
      begin: signalling('SIGSTOP'),
      end: async () => {
        await gone?.signal('SIGCONT')
        await settled()
      },
    },
  ]
}

/** So full that it takes nothing more. */
export function full(clients: readonly Redis[]): RedisFault {
  const setMemory = async (bytes: number): Promise<void> => {
    await Promise.all(clients.map(async (client) => await client.config('SET', 'maxmemory', bytes)))
  }
  return {
    name: 'Redis full',
    begin: async () => {
      await setMemory(1)
    },
    end: async () => {
      await setMemory(0)
    },
  }
}
