// A lock on the table of the journal, as ALTER TABLE and VACUUM FULL take it: what goes on without it, goes on.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Client } from 'pg'
import { denialKey, partitionOf, watermarkKey } from '../../src/contract/denylist-keys.ts'
import { during } from '../support/clients/during.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { sessionsInBulk, type BulkSession } from '../support/service/sessions-in-bulk.ts'
import { refreshed, severalInstances, stopAll, untilAllReady } from '../support/service/several-instances.ts'
import type { Signoff } from '../support/service/signoff.ts'

/** For a machine that does much else. */
const TIMEOUT_MS = 300_000
/** Longer than the usual one, so that a machine that does much else keeps it. */
const LEASE_SECONDS = 10
/** More than two leases. */
const LOCKED_MS = 24_000
/** A watermark that nobody renews is gone for much longer: all the time that is left after its lease. */
const A_MOMENT_MS = 8000
/** A machine that stands still for as long as Redis is waited for lets a lease fall, and nobody can set it anew. */
const TRIES = 3

interface Observed {
  atMs: number
  /** Of a live session, at each instance. */
  live: number[]
  /** The same of one that was logged out before. */
  dead: number[]
  /** What a peer finds of both: watermark, and whether the session is denied. */
  peer: { hasWatermark: boolean; isDenied: boolean }[]
}

describe('a lock on the table of the journal', function () {
  this.timeout(TIMEOUT_MS)
  let database: TestDatabase
  let redis: TestRedis
  let instances: Signoff[]
  let live: BulkSession
  let dead: BulkSession
  let leaving: BulkSession
  let observed: Observed[]
  let logouts: number[]

  before(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    const env = { DENYLIST_LEASE: String(LEASE_SECONDS) }
    const stores = { databaseUrl: database.url, redisUrl: redis.url, env }
    instances = await severalInstances([stores, stores])
    const bulk = await sessionsInBulk({ database, files: filesOf(instances) })
    const sessions = await bulk.begin({ userIds: await bulk.addUsers(['ann']), count: 3 })
    ;[live, dead, leaving] = sessions as [BulkSession, BulkSession, BulkSession]
    await untilAllReady(instances)
    expect(await loggedOut(dead)).to.equal(200)
    await untilAllReady(instances)

    logouts = []
    for (let tries = 1; tries <= TRIES; tries++) {
      await observeLocked()
      if (longestWithoutWatermark() < A_MOMENT_MS) break
    }
  })
  after(async () => {
    await stopAll(instances)
    await Promise.all([database.drop(), redis.remove()])
  })

  it('stops no refresh', () => {
    const statuses = observed.flatMap((seen) => seen.live)
    expect([...new Set(statuses)]).to.not.include(401)
    // Where nothing keeps the lease, checks ask the locked journal for more than half of the time.
    expect(statuses.filter((status) => status === 200).length / statuses.length).to.be.above(0.6)
  })

  it('lets nobody back in', () => {
    expect([...new Set(observed.flatMap((seen) => seen.dead))]).to.not.include(200)
    expect(observed.filter(({ peer }) => peer[1]?.hasWatermark && !peer[1].isDenied)).to.deep.equal([])
  })

  it('lets peers go on', () => {
    expect(longestWithoutWatermark()).to.be.below(A_MOMENT_MS)
  })

  it('lets no logout be answered that is not in the journal', () => {
    expect(new Set(logouts)).to.deep.equal(new Set([503]))
  })

  it('costs nothing once it is gone', async () => {
    expect(await loggedOut(leaving)).to.equal(200)
    for (const instance of instances) {
      const statuses = [live, dead, leaving].map(async ({ token }) => await refreshed(instance, token))
      expect(await Promise.all(statuses)).to.deep.equal([200, 401, 401])
    }
  })

  async function observeLocked(): Promise<void> {
    const unlock = await lock()
    const locked = Promise.all([sleep(LOCKED_MS), sleep(1000).then(tryToLeave)])
    observed = await during(locked, observe)
    await unlock()
    await untilAllReady(instances)
  }

  /** Resolves to what ends it. */
  async function lock(): Promise<() => Promise<void>> {
    const client = new Client({ connectionString: database.url })
    await client.connect()
    await client.query('BEGIN')
    await client.query('LOCK TABLE revocations IN ACCESS EXCLUSIVE MODE')
    return async () => {
      await client.query('COMMIT')
      await client.end()
    }
  }

  async function tryToLeave(): Promise<void> {
    logouts.push(await loggedOut(leaving))
  }

  async function observe(): Promise<Observed> {
    const atInstances = async ({ token }: BulkSession) =>
      await Promise.all(instances.map(async (instance) => await refreshed(instance, token)))
    const [ofLive, ofDead, peer] = await Promise.all([
      atInstances(live),
      atInstances(dead),
      Promise.all([live, dead].map(askedByPeer)),
    ])
    return { atMs: performance.now(), live: ofLive, dead: ofDead, peer }
  }

  async function askedByPeer({ id }: BulkSession): Promise<Observed['peer'][number]> {
    const [watermark, denial] = await redis.client.mget(watermarkKey(partitionOf(id)), denialKey(id))
    return { hasWatermark: watermark !== null, isDenied: denial !== null }
  }

  async function loggedOut({ token }: BulkSession): Promise<number> {
    return (await instances[0]?.post('/auth/logout/', { refresh_token: token }))?.status ?? 0
  }

  function longestWithoutWatermark(): number {
    let longest = 0
    let seenAt = observed[0]?.atMs ?? 0
    for (const { atMs, peer } of observed) {
      if (peer.every(({ hasWatermark }) => hasWatermark)) seenAt = atMs
      else longest = Math.max(longest, atMs - seenAt)
    }
    return longest
  }
})

function filesOf([first]: Signoff[]): Signoff['files'] {
  if (!first) throw new Error('no instance')
  return first.files
}
