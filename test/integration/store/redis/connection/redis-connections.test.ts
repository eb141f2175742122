// Connections to Redis in every shape: what they carry, what they tell, and how long they take when it fails.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import type { Cluster } from 'ioredis'
import type { RedisConnection } from '../../../../../src/store/redis/connection/redis-connection.ts'
import { connectRedis } from '../../../../../src/store/redis/connection/connect-redis.ts'
import { redisConnectionConformance, type Scripts } from '../../../../conformance/redis-connection.ts'
import { eventually } from '../../../../support/service/environment.ts'
import { testRedisCluster, type TestRedisCluster } from '../../../../support/servers/redis-cluster.ts'
import { testRedisSentinel, type TestRedisSentinel } from '../../../../support/servers/redis-sentinel.ts'
import { testRedis, type TestRedis } from '../../../../support/servers/redis.ts'
import { toldBy, untilConnected } from '../../../../support/stores/told.ts'

/** Two commands' timeouts: one's own, and that of whoever was on the way already. */
const BOUND_MS = 600
const REDIS_MODULE = new URL('../../../../../src/store/redis/connection/connect-redis.ts', import.meta.url)
  .href

/** Whether it fails without a wait: the quickest of five tries, since a busy machine may stop any of them. */
async function failsAtOnce(work: () => Promise<unknown>): Promise<boolean> {
  const tries: { failed: boolean; ms: number }[] = []
  for (let count = 0; count < 5; count++) tries.push(await timed(work))
  return tries.every(({ failed }) => failed) && Math.min(...tries.map(({ ms }) => ms)) < 50
}

async function timed(work: () => Promise<unknown>): Promise<{ failed: boolean; ms: number }> {
  const startedAt = performance.now()
  const failed = await work().then(
    () => false,
    () => true,
  )
  return { failed, ms: performance.now() - startedAt }
}

describe('a connection to one Redis', () => {
  let server: TestRedis
  let connection: RedisConnection | undefined

  before(async () => {
    server = await testRedis({ password: 'p@ss/w:rd%' })
  })
  afterEach(() => {
    connection?.close()
  })
  after(async () => {
    await server.remove()
  })

  redisConnectionConformance((prefix = '') => connectRedis(server.url, () => undefined, { prefix }))

  it('uses the database its URL names', async () => {
    connection = connectRedis(`${server.url}/3`, () => undefined)
    await untilConnected(connection)

    await connection.client.set('only', 'there')

    expect(await server.client.exists('only')).to.equal(0)
  })

  it('leaves a server that has become a replica, though it only reads', async () => {
    connection = connectRedis(server.url, () => undefined)
    await untilConnected(connection)
    const told = toldBy(connection)

    await server.client.replicaof('127.0.0.1', 9)
    await eventually(async () => await Promise.resolve(told.includes('loss')), 60_000)
    await server.client.replicaof('NO', 'ONE')
    await untilConnected(connection)

    expect(told[0]).to.equal('loss')
  })

  it('tells of its loss once, and of each time it is ready', async () => {
    connection = connectRedis(server.url, () => undefined)
    const told = toldBy(connection)
    await untilConnected(connection)

    await server.signal('SIGKILL')
    await sleep(500)
    const hasFailedAtOnce = await failsAtOnce(async () => await connection?.client.get('a'))
    await server.start()
    await untilConnected(connection)

    expect(hasFailedAtOnce).to.equal(true)
    expect(told).to.deep.equal(['ready', 'loss', 'ready'])
  })
})

describe('a connection to Redis over TLS', () => {
  let server: TestRedis

  before(async () => {
    server = await testRedis({ tls: true })
  })
  after(async () => {
    await server.remove()
  })

  it('refuses a certificate that no authority it knows has signed', async () => {
    const reasons: string[] = []
    const connection = connectRedis(server.url, (error) => reasons.push((error as Error).message))

    await eventually(async () => await Promise.resolve(reasons.length > 0))
    connection.close()

    expect(reasons[0]).to.match(/self-signed certificate/)
    expect(connection.isReady).to.equal(false)
  })

  it('trusts those of NODE_EXTRA_CA_CERTS, and them for their own names alone', async () => {
    const script = `
      import { connectRedis } from '${REDIS_MODULE}'
      for (const host of ['127.0.0.1', 'localhost', '0.0.0.0']) {
        const reason = await new Promise((resolve) => {
          const connection = connectRedis('rediss://' + host + ':${server.port}', (error) => resolve(error.code))
          connection.onReady(() => connection.client.ping().then(resolve))
        })
        console.log(reason)
      }
      process.exit()`
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: server.certFile ?? '' }

    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      { env, timeout: 15_000 },
    )

    expect(stdout.split('\n')).to.deep.equal(['PONG', 'PONG', 'ERR_TLS_CERT_ALTNAME_INVALID', ''])
  })
})

describe('a connection to a Redis Cluster', () => {
  let cluster: TestRedisCluster
  let connection: RedisConnection | undefined

  before(async () => {
    cluster = await testRedisCluster()
  })
  afterEach(() => {
    connection?.close()
  })
  after(async () => {
    await cluster.remove()
  })

  async function connected(): Promise<{ connection: RedisConnection; told: string[] }> {
    const opened = connectRedis(cluster.url, () => undefined)
    connection = opened
    const told = toldBy(opened)
    await untilConnected(opened)
    return { connection: opened, told }
  }

  redisConnectionConformance((prefix = '') => connectRedis(cluster.url, () => undefined, { prefix }))

  it('has one connection to each master', async () => {
    const { connection } = await connected()

    const sizes = await Promise.all(
      connection.masters().map(async (master) => await master.info('replication')),
    )

    expect(sizes).to.have.length(3)
    for (const replication of sizes) expect(replication).to.include('role:master')
  })

  it('fails at once while no node has told who serves what', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const opened = connectRedis(`redis+cluster://127.0.0.1:${port}`, () => undefined)
    connection = opened

    const hasFailedAtOnce = await failsAtOnce(async () => await opened.client.mget('a'))
    silent.close()

    expect(hasFailedAtOnce).to.equal(true)
  })

  it('hears of a master that was replaced before it believes anything the new one says', async () => {
    const { connection, told } = await connected()
    const old = await cluster.masterOf('key')
    const heir = await cluster.replicaOf(old)
    const client = connection.client as Cluster
    client.defineCommand('read', { lua: 'return redis.call("get", KEYS[1])' })
    const scripts = client as unknown as Scripts
    const ask = async (): Promise<string | null> => await client.get('key').catch(() => 'failed')
    const askByScript = async (): Promise<string | null> => await scripts.read(1, 'key').catch(() => 'failed')

    // The replica knows nothing of what the master takes from here on, and does not ask.
    await heir.client.config('SET', 'masterauth', 'cut off')
    await old.client.call('CLIENT', 'KILL', 'TYPE', 'replica')
    await client.set('key', 'acknowledged')
    // The new map, which would be here within milliseconds, is kept back.
    const refresh = client.refreshSlotsCache.bind(client)
    client.refreshSlotsCache = () => undefined
    await heir.client.cluster('FAILOVER', 'TAKEOVER')
    await eventually(async () => (await ask()) !== 'acknowledged')
    const withoutTheNews = [await ask(), await askByScript()]
    client.refreshSlotsCache = refresh
    await eventually(async () => (await ask()) === null)
    const heardByThen = [...told]
    await old.client.config('SET', 'masterauth', '')
    await heir.client.config('SET', 'masterauth', '')
    await cluster.settled()

    expect(withoutTheNews).to.deep.equal(['failed', 'failed'])
    expect(heardByThen).to.include('loss')
    expect(told).to.deep.equal(['ready', 'loss', 'ready'])
  })

  it('survives a master that is killed: tells of it, fails in time, goes on with its heir', async () => {
    const { connection, told } = await connected()
    const old = await cluster.masterOf('key')
    const took: number[] = []

    await old.signal('SIGKILL')
    await sleep(50)
    const toldAtOnce = [...told, connection.isReady]
    await eventually(async () => {
      const { failed, ms } = await timed(async () => await connection.client.set('key', 'new'))
      took.push(ms)
      return !failed
    })
    await eventually(async () => await Promise.resolve(connection.isReady))
    await old.start()
    await cluster.settled()

    expect(toldAtOnce).to.deep.equal(['ready', 'loss', false])
    expect(told.at(-1)).to.equal('ready')
    expect(Math.max(...took)).to.be.below(BOUND_MS)
  })

  it('survives a master that hangs: tells of its heir, and fails in time meanwhile', async () => {
    const { connection, told } = await connected()
    const old = await cluster.masterOf('key')
    const took: number[] = []

    await old.signal('SIGSTOP')
    await eventually(async () => {
      const attempts = await Promise.all([
        timed(async () => await connection.client.set('key', 'new')),
        timed(async () => await connection.client.mget('key', '{key}:b')),
      ])
      took.push(...attempts.map(({ ms }) => ms))
      return attempts.every(({ failed }) => !failed)
    })
    await old.signal('SIGCONT')
    await cluster.settled()

    expect(told.slice(0, 2)).to.deep.equal(['ready', 'loss'])
    expect(Math.max(...took)).to.be.below(BOUND_MS)
  })
})

describe('a connection by Redis Sentinel', () => {
  let sentinel: TestRedisSentinel

  before(async () => {
    sentinel = await testRedisSentinel()
  })
  after(async () => {
    await sentinel.remove()
  })

  redisConnectionConformance((prefix = '') => connectRedis(sentinel.url, () => undefined, { prefix }))

  it('finds its master though the first sentinel hangs', async () => {
    const [first] = sentinel.sentinels
    await first?.signal('SIGSTOP')
    const connection = connectRedis(sentinel.url, () => undefined)

    await untilConnected(connection)
    const answer = await connection.client.ping()
    connection.close()
    await first?.signal('SIGCONT')

    expect(answer).to.equal('PONG')
  })
})

describe('a connection by Redis Sentinel whose master is replaced', () => {
  let sentinel: TestRedisSentinel
  let connection: RedisConnection
  let told: string[]

  // Each its own: it takes the sentinels ten seconds to make a replica of the old master.
  beforeEach(async () => {
    sentinel = await testRedisSentinel()
    connection = connectRedis(sentinel.url, () => undefined)
    told = toldBy(connection)
    await untilConnected(connection)
  })
  afterEach(async () => {
    connection.close()
    await sentinel.remove()
  })

  it('leaves a master that was replaced though it is well, and tells', async () => {
    const old = await sentinel.master()

    await sentinel.sentinels[0]?.client.call('SENTINEL', 'FAILOVER', 'signoff')
    await eventually(async () => await Promise.resolve(told.length === 3 && connection.isReady))
    const role = await connection.client.role()

    expect(told).to.deep.equal(['ready', 'loss', 'ready'])
    expect(role[0]).to.equal('master')
    expect(await sentinel.master()).not.to.equal(old)
  })

  it('goes on with a replica that was cut off before the last write, and tells', async () => {
    const old = await sentinel.master()
    await connection.client.set('key', 'early')
    await connection.client.wait(1, 1000)
    const took: number[] = []

    await sentinel.cutReplica()
    await connection.client.set('key', 'late')
    await old.signal('SIGKILL')
    await eventually(async () => {
      const { failed, ms } = await timed(async () => await connection.client.set('other', '1'))
      took.push(ms)
      return !failed
    })
    const kept = await connection.client.get('key')

    expect(told).to.deep.equal(['ready', 'loss', 'ready'])
    expect(kept).to.equal('early')
    expect(Math.max(...took)).to.be.below(BOUND_MS)
  })
})
