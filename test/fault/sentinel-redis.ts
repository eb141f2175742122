// A Redis under Sentinel, a master and a replica, and what can happen to them.
import { setTimeout as sleep } from 'node:timers/promises'
import { connectRedis } from '../../src/store/redis/connection/connect-redis.ts'
import { testRedisSentinel, type TestRedisSentinel } from '../support/servers/redis-sentinel.ts'
import type { TestRedis } from '../support/servers/redis.ts'
import type { RedisFault, RedisWorld } from './redis-world.ts'
import { full, masterGone } from './replicated-redis.ts'

/** The sentinels tell the addresses of the servers, so no proxy can stand in front of them. */
export async function sentinelRedis(): Promise<RedisWorld> {
  const world = await testRedisSentinel()
  // The service's own connection finds the master again after whatever happens to it.
  const peer = connectRedis(world.url, () => undefined)
  return {
    kind: 'sentinel',
    url: world.url,
    port: null,
    // Once more, since that one has little patience.
    mget: async (keys) => await peer.client.mget(keys).catch(async () => await peer.client.mget(keys)),
    faults: [
      ...masterGone({ master: world.master, settled: world.settled }),
      staleFailover(world),
      handOver(world),
      emptied(world),
      full(world.servers.map(({ client }) => client)),
    ],
    remove: async () => {
      peer.close()
      await world.remove()
    },
  }
}

/** The replica that takes over has missed what its master was told last. */
function staleFailover(world: TestRedisSentinel): RedisFault {
  let master: TestRedis | null = null
  return {
    name: 'Redis failed over to a stale replica',
    begin: async (random) => {
      master = await world.master()
      await world.cutReplica()
      await sleep(random.between(200, 4000))
      await master.signal('SIGKILL')
    },
    end: async () => {
      await master?.start()
      await world.uncutReplica()
      await world.settled()
    },
  }
}

function handOver(world: TestRedisSentinel): RedisFault {
  return {
    name: 'Redis master hands over',
    begin: async () => {
      // Refused where no replica is fit for it, so soon after another fault.
      await world.sentinels[0]?.client.call('SENTINEL', 'FAILOVER', 'signoff').catch(() => undefined)
    },
    end: async () => {
      await world.settled()
    },
  }
}

function emptied(world: TestRedisSentinel): RedisFault {
  const empty = async (): Promise<void> => {
    await (await world.master()).client.flushall()
  }
  return { name: 'Redis emptied', begin: empty, end: empty }
}
