// A Redis Cluster of three masters with a replica each, and what can happen to it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster } from 'ioredis'
import { PARTITIONS, watermarkKey } from '../../src/contract/denylist-keys.ts'
import { testRedisCluster, type TestRedisCluster } from '../support/redis-cluster.ts'
import type { TestRedis } from '../support/redis.ts'
import type { Random } from './random.ts'
import type { RedisFault, RedisWorld } from './redis-world.ts'

/** What a server that has none asks of nobody: it is refused for sending it. */
const NO_PASSWORD = 'none'

/** Its nodes tell each other's addresses, so no proxy can stand in front of it. */
export async function clusterRedis(): Promise<RedisWorld> {
  const cluster = await testRedisCluster()
  const peer = new Cluster(
    cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    {
      clusterRetryStrategy: () => 100,
      enableOfflineQueue: false,
      redisOptions: { commandTimeout: 1000, maxRetriesPerRequest: 0 },
    },
  )
  peer.on('error', () => undefined)
  return {
    kind: 'cluster',
    url: cluster.url,
    port: null,
    mget: async (keys) => await peer.mget(keys),
    faults: [
      ...['SIGKILL' as const, 'SIGSTOP' as const].map((signal) => masterGone(cluster, signal)),
      staleFailover(cluster),
      handOver(cluster),
      emptied(cluster),
      full(cluster),
    ],
    remove: async () => {
      peer.disconnect()
      await cluster.remove()
    },
  }
}

async function anyMaster(cluster: TestRedisCluster, random: Random): Promise<TestRedis> {
  return await cluster.masterOf(watermarkKey(random.pick(PARTITIONS)))
}

function masterGone(cluster: TestRedisCluster, signal: 'SIGKILL' | 'SIGSTOP'): RedisFault {
  const isKilled = signal === 'SIGKILL'
  let master: TestRedis | null = null
  return {
    name: isKilled ? 'a master killed' : 'a master hung',
    begin: async (random) => {
      master = await anyMaster(cluster, random)
      await master.signal(signal)
    },
    end: async () => {
      await (isKilled ? master?.start() : master?.signal('SIGCONT'))
      await cluster.settled()
    },
  }
}

/** The replica that takes over has missed what its master was told last. */
function staleFailover(cluster: TestRedisCluster): RedisFault {
  let master: TestRedis | null = null
  let replica: TestRedis | null = null
  return {
    name: 'failed over to a stale replica',
    begin: async (random) => {
      master = await anyMaster(cluster, random)
      replica = await cluster.replicaOf(master)
      await replica.client.config('SET', 'masterauth', NO_PASSWORD)
      await master.client.call('CLIENT', 'KILL', 'TYPE', 'replica')
      await sleep(random.between(200, 4000))
      await master.signal('SIGKILL')
    },
    end: async () => {
      await replica?.client.config('SET', 'masterauth', '')
      await master?.start()
      await cluster.settled()
    },
  }
}

function handOver(cluster: TestRedisCluster): RedisFault {
  return {
    name: 'a master hands over',
    begin: async (random) => {
      const replica = await cluster.replicaOf(await anyMaster(cluster, random))
      await replica.client.cluster('FAILOVER', 'TAKEOVER')
    },
    end: async () => {
      await cluster.settled()
    },
  }
}

function emptied(cluster: TestRedisCluster): RedisFault {
  const empty = async (): Promise<void> => {
    // A replica refuses, and hears of it from its master.
    await Promise.all(cluster.nodes.map(async ({ client }) => await client.flushall().catch(() => null)))
  }
  return { name: 'Redis emptied', begin: empty, end: empty }
}

function full(cluster: TestRedisCluster): RedisFault {
  const setMemory = async (bytes: number): Promise<void> => {
    await Promise.all(cluster.nodes.map(async ({ client }) => await client.config('SET', 'maxmemory', bytes)))
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
