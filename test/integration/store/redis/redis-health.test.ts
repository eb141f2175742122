// What Redis says of its own health, alone and as a cluster.
import { expect } from 'chai'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { readRedisFitness, type RedisHealth } from '../../../../src/store/redis/redis-health.ts'
import { connectRedis } from '../../../../src/store/redis/connection/connect-redis.ts'
import { testRedisCluster, type TestRedisCluster } from '../../../support/servers/redis-cluster.ts'
import { testRedis, type TestRedis } from '../../../support/servers/redis.ts'
import { untilConnected } from '../../../support/stores/told.ts'

const MIB = 1024 * 1024
const EVICTS =
  'Redis may evict denials, which undoes logouts: set maxmemory-policy to noeviction (it is allkeys-lru)'

async function healthOf(connection: RedisConnection): Promise<RedisHealth> {
  const { health } = await readRedisFitness(connection)
  if (!health) throw new Error('nothing is told of its health')
  return health
}

describe('readRedisFitness of one Redis', () => {
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

    const health = await healthOf(connection)

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

    const health = await healthOf(connection)

    expect(health).to.include({ maxmemoryPolicy: 'volatile-ttl', evicts: true, maxBytes: 64 * MIB })
  })

  it('calls snapshots persistent, and nothing of the kind not', async () => {
    await server.client.config('SET', 'appendonly', 'no')
    const without = await healthOf(connection)
    await server.client.config('SET', 'save', '3600 1')
    const withSnapshots = await healthOf(connection)

    expect([without.isPersistent, withSnapshots.isPersistent]).to.deep.equal([false, true])
  })

  it('does not know of snapshots where it may not ask', async () => {
    await server.client.config('SET', 'appendonly', 'no')
    await server.client.acl('SETUSER', 'default', '-config')

    expect((await healthOf(connection)).isPersistent).to.equal(null)
  })

  it('calls one that does not let itself be looked at unfit, and says what to grant', async () => {
    await server.client.acl('SETUSER', 'default', '-info')

    const { health, unfit } = await readRedisFitness(connection)

    expect(health).to.equal(null)
    expect(unfit).to.match(
      /^the Redis user may not run INFO, so nobody can see whether Redis evicts denials: grant it \+info \(NOPERM .*'info'/,
    )
  })

  it('rejects when Redis hangs', async () => {
    await server.signal('SIGSTOP')

    const outcome = await readRedisFitness(connection).then(
      () => 'answered',
      () => 'rejected',
    )

    expect(outcome).to.equal('rejected')
  })
})

describe('readRedisFitness of a Redis Cluster', () => {
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
    const partlyLimited = await healthOf(connection)
    await third?.client.config('SET', 'maxmemory', 64 * MIB)
    await second?.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await third?.client.config('SET', 'appendonly', 'no')

    const health = await healthOf(connection)

    expect(partlyLimited).to.include({ maxBytes: 0, evicts: false, isPersistent: true, keys: 30 })
    expect(health).to.include({
      maxBytes: 192 * MIB,
      maxmemoryPolicy: 'allkeys-lru',
      evicts: true,
      isPersistent: false,
      keys: 30,
    })
  })

  it('is unfit by what one master says, also while another gives no answer', async () => {
    const [one, other] = connection.masters().map(({ options }) => options.port)
    const nodeAt = (port: number | undefined) => cluster.nodes.find((node) => node.port === port)
    await nodeAt(one)?.client.config('SET', 'maxmemory-policy', 'allkeys-lru')

    await nodeAt(other)?.signal('SIGSTOP')
    const found = await readRedisFitness(connection)
    await nodeAt(other)?.signal('SIGCONT')

    expect(found).to.deep.equal({ health: null, unfit: EVICTS })
  })
})
