// What Redis says of its own health, alone and as a cluster.
import { expect } from 'chai'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { readRedisHealth } from '../../../../src/store/redis/redis-health.ts'
import { connectRedis } from '../../../../src/store/redis/connection/connect-redis.ts'
import { testRedisCluster, type TestRedisCluster } from '../../../support/redis-cluster.ts'
import { testRedis, type TestRedis } from '../../../support/redis.ts'
import { untilConnected } from '../../../support/told.ts'

const MIB = 1024 * 1024

describe('readRedisHealth of one Redis', () => {
  let server: TestRedis
  let connection: RedisConnection

  beforeEach(async () => {
    server = await testRedis()
    connection = connectRedis(server.url, () => undefined)
    await untilConnected(connection)
  })
  afterEach(async () => {
    connection.close()
    await server.remove()
  })

  it('tells that it is durable, unlimited and never forgets', async () => {
    await server.client.mset('a', 1, 'b', 2)

    const health = await readRedisHealth(connection)

    expect(health).to.include({
      isSupported: true,
      maxmemoryPolicy: 'noeviction',
      evicts: false,
      isPersistent: true,
      maxBytes: 0,
      keys: 2,
    })
    expect(health.version).to.match(/^\d+\.\d+\.\d+/)
    expect(health.usedBytes).to.be.within(100_000, 50 * MIB)
  })

  it('tells of a limit and of a policy that forgets', async () => {
    await server.client.config('SET', 'maxmemory', 64 * MIB)
    await server.client.config('SET', 'maxmemory-policy', 'volatile-ttl')

    const health = await readRedisHealth(connection)

    expect(health).to.include({ maxmemoryPolicy: 'volatile-ttl', evicts: true, maxBytes: 64 * MIB })
  })

  it('calls snapshots persistent, and nothing of the kind not', async () => {
    await server.client.config('SET', 'appendonly', 'no')
    const without = await readRedisHealth(connection)
    await server.client.config('SET', 'save', '3600 1')
    const withSnapshots = await readRedisHealth(connection)

    expect([without.isPersistent, withSnapshots.isPersistent]).to.deep.equal([false, true])
  })

  it('does not know of snapshots where it may not ask', async () => {
    await server.client.config('SET', 'appendonly', 'no')
    await server.client.acl('SETUSER', 'default', '-config')

    expect((await readRedisHealth(connection)).isPersistent).to.equal(null)
  })

  it('rejects in time when Redis hangs', async () => {
    await server.signal('SIGSTOP')

    const startedAt = performance.now()
    const outcome = await readRedisHealth(connection).then(
      () => 'answered',
      () => 'rejected',
    )

    expect(outcome).to.equal('rejected')
    expect(performance.now() - startedAt).to.be.below(600)
  })
})

describe('readRedisHealth of a Redis Cluster', () => {
  let cluster: TestRedisCluster
  let connection: RedisConnection

  before(async () => {
    cluster = await testRedisCluster()
    connection = connectRedis(cluster.url, () => undefined)
    await untilConnected(connection)
  })
  after(async () => {
    connection.close()
    await cluster.remove()
  })

  it('adds its masters up, and is as good as the worst of them', async () => {
    const [first, second, third] = cluster.nodes
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => await connection.client.set(`k${index}`, 1)),
    )
    for (const node of [first, second]) await node?.client.config('SET', 'maxmemory', 64 * MIB)
    const partlyLimited = await readRedisHealth(connection)
    await third?.client.config('SET', 'maxmemory', 64 * MIB)
    await second?.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await third?.client.config('SET', 'appendonly', 'no')

    const health = await readRedisHealth(connection)

    expect(partlyLimited).to.include({ maxBytes: 0, evicts: false, isPersistent: true, keys: 30 })
    expect(health).to.include({
      maxBytes: 192 * MIB,
      maxmemoryPolicy: 'allkeys-lru',
      evicts: true,
      isPersistent: false,
      keys: 30,
    })
  })
})
