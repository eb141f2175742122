// The partitions of the denylist in Redis Cluster: one call a partition, whichever node has it.
import { expect } from 'chai'
import { denialKey, PARTITIONS } from '../../../../src/contract/denylist-keys.ts'
import { connectRedis } from '../../../../src/store/redis/connection/connect-redis.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import {
  positionKey,
  redisWatermarks,
  type Step,
  type Watermarks,
} from '../../../../src/store/redis/watermarks.ts'
import { eventually } from '../../../support/service/environment.ts'
import { testRedisCluster, type TestRedisCluster } from '../../../support/servers/redis-cluster.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

describe('redisWatermarks in Redis Cluster', () => {
  let cluster: TestRedisCluster
  let connection: RedisConnection
  let watermarks: Watermarks

  before(async () => {
    cluster = await testRedisCluster()
    connection = connectRedis(cluster.url, () => undefined)
    watermarks = redisWatermarks({ connection, partitions: PARTITIONS, nonce: 'nonce-' })
    await eventually(async () => await Promise.resolve(connection.isReady), MINUTE_MS)
  })
  after(async () => {
    connection.close()
    await cluster.remove()
  })

  const denialOf = (partition: string) => ({ id: `s-1-${partition}`, ttlMs: HOUR_MS })
  const stepOf = (partition: string, from: string, relayedUpTo: number): Step => ({
    partition,
    from,
    to: {
      relayedUpTo,
      journalName: 'name',
      serverEpoch: '1-1',
      instanceId: 'one',
      redisOffsetMs: 0,
      isByAcks: false,
    },
    denials: [denialOf(partition)],
  })
  /** A busy machine may take longer for some of them than the service waits. */
  const broughtTo = async (relayedUpTo: number, partitions: readonly string[]): Promise<void> => {
    await eventually(async () => {
      const states = await watermarks.read().catch(() => [])
      const behind = states.filter(
        ({ partition, position }) => partitions.includes(partition) && position?.relayedUpTo !== relayedUpTo,
      )
      await watermarks.step(
        behind.map(({ partition, positionText }) => stepOf(partition, positionText, relayedUpTo)),
      )
      return states.length === PARTITIONS.length && behind.length === 0
    }, MINUTE_MS)
  }

  it('are read, brought further, filled and forgotten, over all nodes', async () => {
    await broughtTo(1000, PARTITIONS)
    const gone = ['00', '55', 'aa', 'ff']
    for (const partition of gone) {
      const { client } = await cluster.masterOf(positionKey(partition))
      await client.del(denialKey(denialOf(partition).id))
    }
    const found = new Map<string, number[]>()
    await eventually(async () => {
      const states = await watermarks.read()
      const left = states.filter(({ partition }) => !found.has(partition))
      const filled = await watermarks.fill(
        left.map(({ partition, positionText }) => ({
          partition,
          position: positionText,
          denials: [denialOf(partition)],
        })),
      )
      for (const [partition, places] of filled) found.set(partition, places)
      return found.size === PARTITIONS.length
    }, MINUTE_MS)
    await eventually(async () => {
      await watermarks.reset().catch(() => undefined)
      const states = await watermarks.read()
      return states.length === PARTITIONS.length && states.every(({ position }) => position === null)
    }, MINUTE_MS)

    const held = await Promise.all(
      gone.map(async (partition) => {
        const { client } = await cluster.masterOf(positionKey(partition))
        return await client.exists(denialKey(denialOf(partition).id))
      }),
    )
    expect(held).to.deep.equal([1, 1, 1, 1])
    for (const [partition, places] of found)
      // Where the answer came too late, it is there already the second time.
      expect(places, partition).to.be.deep.oneOf(gone.includes(partition) ? [[0], []] : [[]])
  })
})
