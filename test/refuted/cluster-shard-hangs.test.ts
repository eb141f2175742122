// A part of Redis that answers late, or by halves: what was denied meanwhile is in there all the same afterwards.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Cluster } from 'ioredis'
import { denialKey, partitionOf, watermarkKey } from '../../src/contract/denylist-keys.ts'
import { eventually } from '../support/service/environment.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedisCluster, type TestRedisCluster } from '../support/servers/redis-cluster.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { sessionsInBulk, type BulkSession, type SessionsInBulk } from '../support/service/sessions-in-bulk.ts'
import {
  A_MINUTE_MS,
  readiness,
  refreshed,
  severalInstances,
  stopAll,
  untilAllReady,
} from '../support/service/several-instances.ts'
import { runSignoff, type Signoff } from '../support/service/signoff.ts'
import { tcpProxy, type TcpProxy } from '../support/servers/tcp-proxy.ts'

/** For a machine that does much else. */
const TIMEOUT_MS = 180_000
/** Over all shards. */
const SESSIONS = 64
const SETTLED_MS = 15_000
const LEAST_HUNG_MS = 1400
/** Connections end after three seconds of silence, and that is another story. */
const MOST_HUNG_MS = 2500

describe('a shard of a Redis Cluster that hangs for a moment', function () {
  this.timeout(TIMEOUT_MS)
  const usernames = ['ann', 'ben', 'cem', 'dan']
  let database: TestDatabase
  let cluster: TestRedisCluster
  let instances: Signoff[]
  let bulk: SessionsInBulk
  let peer: Cluster

  before(async () => {
    ;[database, cluster] = await Promise.all([testDatabase(), testRedisCluster({ hasReplicas: false })])
    const stores = { databaseUrl: database.url, redisUrl: cluster.url }
    instances = await severalInstances([stores, stores])
    bulk = await sessionsInBulk({ database, files: filesOf(instances) })
    peer = new Cluster(
      cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      { redisOptions: { commandTimeout: 2000 } },
    )
    await untilAllReady(instances)
  })
  after(async () => {
    peer.disconnect()
    await stopAll(instances)
    await Promise.all([database.drop(), cluster.remove()])
  })

  it('lets nobody back in who was disabled just before', async () => {
    const letIn: string[] = []
    const missed: string[] = []
    for (const username of usernames) {
      if (letIn.length > 0) break
      const sessions = await disabledBeforeAHang(username)
      await settled()
      letIn.push(...(await acceptedOf(sessions)))
      missed.push(...(await missingOf(sessions)))
    }

    expect({ letIn, missed }).to.deep.equal({ letIn: [], missed: [] })
  })

  /** Resolves when the shard answers again. */
  async function disabledBeforeAHang(username: string): Promise<BulkSession[]> {
    const userIds = await bulk.addUsers([username])
    const sessions = await bulk.begin({ userIds, count: SESSIONS })
    const shard = await cluster.masterOf(watermarkKey('00'))
    const elsewhere = await notOn(shard, sessions.slice(0, 12))
    // Without REDIS_URL, so that the relay is the one to carry it over.
    const disabling = runSignoff(['user', 'disable', username], { env: { DATABASE_URL: database.url } })
    await eventually(async () => await isJournaled(sessions), A_MINUTE_MS)
    await shard.signal('SIGSTOP')
    // The relay does a round without this shard.
    const carriedOver = eventually(async () => await areDenied(elsewhere), MOST_HUNG_MS)
    await Promise.all([sleep(LEAST_HUNG_MS), carriedOver.catch(() => undefined)])
    await shard.signal('SIGCONT')
    expect((await disabling).status).to.equal(0)
    return sessions
  }

  async function isJournaled([session]: BulkSession[]): Promise<boolean> {
    const rows = await database.sql('SELECT 1 FROM revocations WHERE denied_id = $1', [session?.id])
    return rows.length > 0
  }

  async function notOn(shard: TestRedis, sessions: BulkSession[]): Promise<BulkSession[]> {
    const masters = await Promise.all(sessions.map(async ({ id }) => await cluster.masterOf(denialKey(id))))
    return sessions.filter((_, index) => masters[index] !== shard)
  }

  async function areDenied(sessions: BulkSession[]): Promise<boolean> {
    const keys = await Promise.all(sessions.map(async ({ id }) => await peer.exists(denialKey(id))))
    return keys.every((exists) => exists === 1)
  }

  async function settled(): Promise<void> {
    const isReady = async () => {
      const answers = await Promise.all(instances.map(readiness))
      return answers.every(({ status }) => status === 200)
    }
    await eventually(isReady, SETTLED_MS).catch(() => undefined)
  }

  async function acceptedOf(sessions: BulkSession[]): Promise<string[]> {
    const asked = instances.flatMap((instance) =>
      sessions.map(async ({ id, token }) => ((await refreshed(instance, token)) === 200 ? [id] : [])),
    )
    return (await Promise.all(asked)).flat()
  }

  /** Those under a watermark, but without a key: a peer would take them for live. */
  async function missingOf(sessions: BulkSession[]): Promise<string[]> {
    const asked = sessions.map(async ({ id }) => {
      const [watermark, denial] = await peer.mget(watermarkKey(partitionOf(id)), denialKey(id))
      return watermark !== null && denial === null ? [id] : []
    })
    return (await Promise.all(asked)).flat()
  }
})

describe('answers of Redis that come in two halves', function () {
  this.timeout(TIMEOUT_MS)
  const TIMES = 5
  /** The second half of the partitions, however the answers are cut. */
  const LATE_PARTITION = 'f0'
  /** Of what is said of 256 partitions, less than half. */
  const HALF_BYTES = 6000
  /** Longer than a command waits, and not as long as it and the next one do. */
  const HELD_MS = 380
  let database: TestDatabase
  let redis: TestRedis
  let ways: TcpProxy[]
  let instances: Signoff[]
  let bulk: SessionsInBulk

  before(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    ways = await Promise.all([tcpProxy(redis.port), tcpProxy(redis.port)])
    instances = await severalInstances(
      ways.map(({ port }) => ({ databaseUrl: database.url, redisUrl: `redis://127.0.0.1:${port}` })),
    )
    bulk = await sessionsInBulk({ database, files: filesOf(instances) })
    await untilAllReady(instances)
  })
  after(async () => {
    await stopAll(instances)
    await Promise.all(
      ways.map(async (way) => {
        await way.close()
      }),
    )
    await Promise.all([database.drop(), redis.remove()])
  })

  it('cost no logout, at the instance that answered it or elsewhere', async () => {
    const userIds = await bulk.addUsers(['ann'])
    const sessions = await bulk.begin({ userIds, count: TIMES, partition: LATE_PARTITION })
    const letIn: number[] = []
    for (const { token } of sessions) {
      await loggedOutBetweenTheHalves(token)
      await untilAllReady(instances)
      const asked = await Promise.all(instances.map(async (instance) => await refreshed(instance, token)))
      letIn.push(...asked.filter((status) => status === 200))
      if (letIn.length > 0) break
    }

    expect(letIn).to.deep.equal([])
  })

  /** By the instance that cannot reach Redis; the one that relays reads half of it meanwhile. */
  async function loggedOutBetweenTheHalves(token: string): Promise<void> {
    const [relaying, other] = instances
    const [itsWay, othersWay] = ways
    if (!relaying || !other || !itsWay || !othersWay) throw new Error('not two')
    othersWay.cut()
    await itsWay.halve(HALF_BYTES)
    const answer = other.post('/auth/logout/', { refresh_token: token })
    await sleep(HELD_MS)
    itsWay.pass()
    expect((await answer).status).to.equal(200)
    othersWay.pass()
  }
})

function filesOf([first]: Signoff[]): Signoff['files'] {
  if (!first) throw new Error('no instance')
  return first.files
}
