// A Redis Cluster of three masters with a replica each, and what can happen to it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster } from 'ioredis'
import { PARTITIONS, watermarkKey } from '../../src/contract/denylist-keys.ts'
import { testRedisCluster, type TestRedisCluster } from '../support/servers/redis-cluster.ts'
import type { TestRedis } from '../support/servers/redis.ts'
import type { Random } from './random.ts'
import type { RedisFault, RedisWorld } from './redis-world.ts'
import { full, masterGone } from './replicated-redis.ts'

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
      ...masterGone({ master: async (random) => await anyMaster(cluster, random), settled: cluster.settled }),
      staleFailover(cluster),
      handOver(cluster),
      emptied(cluster),
      full(cluster.nodes.map(({ client }) => client)),
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

/** The replica that takes over has missed what its master was told last. */
function staleFailover(cluster: TestRedisCluster): RedisFault {
  let master: TestRedis | null = null
  let replica: TestRedis | null = null
  return {
    name: 'Redis failed over to a stale replica',
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
    name: 'Redis master hands over',
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
