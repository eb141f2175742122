// The feed for replicas, from two instances on the same stores: what a reader is told, and when it is told nothing.
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import type { FeedOpen } from '../../src/contract/feed.ts'
import { claimsOf, eventually, PASSWORD, untilReady, loggedInAt } from '../support/service/environment.ts'
import { HANGING_MS } from '../support/clients/hanging.ts'
import {
  feedClient,
  feedHeaders,
  type FeedClient,
  type FeedClientOptions,
} from '../support/clients/feed-client.ts'
import { addedPeer, type PeerClient } from '../support/clients/peer.ts'
import { ownPostgres, testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { runSignoff, startSignoff, type Signoff } from '../support/service/signoff.ts'

describe('GET /denylist/feed', () => {
  let database: TestDatabase
  let redis: TestRedis
  let one: Signoff
  let other: Signoff
  let clients: FeedClient[]
  let peer: PeerClient

  before(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    const options = { databaseUrl: database.url, redisUrl: redis.url }
    ;[one, other] = await Promise.all([startSignoff(options), startSignoff(options)])
    await runSignoff(['user', 'add', 'alice'], { env: { DATABASE_URL: database.url }, input: PASSWORD })
    peer = await addedPeer(one, database)
    await Promise.all([one, other].map(untilReady))
  })
  after(async () => {
    await Promise.all([one.stop(), other.stop()])
    await Promise.all([database.drop(), redis.remove()])
  })
  beforeEach(() => {
    clients = []
  })
  afterEach(() => {
    for (const client of clients) client.close()
  })

  /** Of an instance that knows all, and says so. */
  const reading = async (signoff: Signoff, options: Partial<FeedClientOptions> = {}): Promise<FeedClient> => {
    let client = await feedClient(signoff, { basic: peer.basic, ...options })
    await eventually(async () => {
      if (client.status !== 200) client = await feedClient(signoff, { basic: peer.basic, ...options })
      return client.status === 200
    })
    clients.push(client)
    await client.nextSync()
    return client
  }
  /** Logs in and out there; resolves to the session, and when that was answered. */
  const loggedOut = async (signoff: Signoff): Promise<{ sid: string; at: number }> => {
    const { refresh } = await loggedInAt(signoff)
    const { status } = await signoff.post('/auth/logout/', { refresh_token: refresh })
    if (status >= 300) throw new Error(`logout answered ${status}`)
    return { sid: String(claimsOf(refresh)['sid']), at: performance.now() }
  }

  it('is a stream of events that is not kept, and begins with the lease and the age it covers', async () => {
    const { headers, events } = await reading(one)

    expect(headers['content-type']).to.match(/^text\/event-stream\b/)
    expect(headers['cache-control']).to.equal('no-store')
    expect(events[0]?.event).to.equal('open')
    expect(events[0]?.data).to.include({ lease: 5, covers: 305 })
  })

  it('says once a second up to when it has told all, by the clock with which it began', async () => {
    const client = await reading(one)
    const syncs = [await client.nextSync(), await client.nextSync(), await client.nextSync()]

    const { now } = client.events[0]?.data as FeedOpen
    const times = syncs.map((sync) => sync.as_of)
    expect(times).to.deep.equal(times.toSorted((a, b) => a - b))
    expect((times[2] ?? 0) - (times[0] ?? 0)).to.be.within(1000, HANGING_MS)
    expect(times[0]).to.be.above(now - 1000)
    const [, resumesAtMs] = /^(\d+)-305-[0-9a-f]{8}$/.exec(syncs[0]?.id ?? '') ?? []
    expect(Number(resumesAtMs)).to.be.within(Date.now() - 120_000, Date.now())
  })

  it('tells of a logout at this instance and at another one, once', async () => {
    const [here, there] = await Promise.all([reading(one), reading(other)])
    const { sid, at } = await loggedOut(one)

    expect((await there.denied(sid)) - at).to.be.below(HANGING_MS)
    expect((await here.denied(sid)) - at).to.be.below(HANGING_MS)
    await there.nextSync()
    expect(there.ids().filter((id) => id === sid)).to.have.length(1)
  })

  it('resumes at another instance with what was missed, and not with everything', async () => {
    const early = await loggedOut(one)
    await database.sql(`UPDATE revocations SET created_at = created_at - interval '20 seconds'`)
    // Started on the journal as it is now: it knows by that how old the early one is.
    const third = await startSignoff({ databaseUrl: database.url, redisUrl: redis.url })
    await untilReady(third)
    const before = await reading(one)
    const { id } = await before.nextSync()
    before.close()
    const missed = await loggedOut(one)

    const [resumed, fresh] = await Promise.all([reading(third, { lastEventId: id }), reading(third)])
    await Promise.all([resumed.denied(missed.sid), fresh.denied(missed.sid)])

    expect(resumed.ids()).not.to.include(early.sid)
    expect(fresh.ids()).to.include(early.sid)
    await third.stop()
    expect(await Promise.all([resumed.ended, fresh.ended])).to.deep.equal([true, true])
  })

  it('answers HEAD without a feed', async () => {
    const { status, text } = await one.call('/denylist/feed', { method: 'HEAD', headers: feedHeaders(peer) })

    expect({ status, text }).to.deep.equal({ status: 200, text: '' })
  })

  it('cuts a reader that does not read, while others go on and memory stays bounded', async () => {
    const [stuck, client] = await Promise.all([reading(one), reading(one)])
    stuck.pause()
    const memoryBefore = await residentMiB(one)

    // Of one token each, with a long name: more bytes than the two ends keep for each other. So old that they are
    // read once or twice, and no more.
    await database.sql(
      `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
       SELECT gen_random_uuid() || ':' || repeat('x', 2000), '00', 'logout', now() - interval '8 seconds',
              now() + interval '1 hour'
       FROM generate_series(1, 6000)`,
    )
    await eventually(() => client.events.length > 6000)
    await eventually(async () => (await metric(one, 'signoff_feed_readers_cut_total')) === 1)
    // On a machine so busy that reading the journal takes seconds, all readers are sent away, and come again.
    const reader = client.isOpen() ? client : await reading(one)
    const { sid } = await loggedOut(one)

    await reader.denied(sid)
    // What is read is garbage by now, and collected at some time.
    await eventually(async () => (await residentMiB(one)) < memoryBefore + 250)
    await database.sql(`DELETE FROM revocations WHERE partition = '00'`)
  }).timeout(120_000)

  it('goes on by the journal when Redis is killed', async () => {
    const client = await reading(other)
    await redis.signal('SIGKILL')

    const { sid, at } = await loggedOut(one)
    const cameAt = await client.denied(sid)
    const sync = await client.nextSync()
    await redis.start()

    expect(cameAt - at).to.be.below(HANGING_MS)
    expect(sync.as_of).to.be.above(0)
    await Promise.all([one, other].map(untilReady))
  })

  it('ends in good order when the service stops, which waits for no reader', async () => {
    const third = await startSignoff({ databaseUrl: database.url, redisUrl: redis.url })
    await untilReady(third)
    const readers = await Promise.all(Array.from({ length: 5 }, async () => await reading(third)))

    third.kill('SIGTERM')
    const status = await third.exited

    expect(status).to.equal(0)
    expect(await Promise.all(readers.map(async ({ ended }) => await ended))).to.deep.equal(
      readers.map(() => true),
    )
    await third.stop()
  })
})

describe('GET /denylist/feed without Postgres', () => {
  it('goes on by the word of the instances, and ends when Redis is away as well', async () => {
    const [postgres, redis] = await Promise.all([ownPostgres(), testRedis()])
    const signoff = await startSignoff({ databaseUrl: postgres.url, redisUrl: redis.url })
    await untilReady(signoff)
    await eventually(async () => (await metric(signoff, 'signoff_feed_known')) === 1)
    const peer = await addedPeer(signoff, postgres)
    const client = await feedClient(signoff, peer)
    const before = await client.nextSync()

    await postgres.stop()
    // Longer than the lease: by the journal alone it would know no more.
    let bridged = await client.nextSync()
    while (bridged.as_of - before.as_of <= 5500) bridged = await client.nextSync()
    const isOpenStill = client.isOpen()
    await redis.signal('SIGKILL')
    const isProperEnd = await client.ended
    const late = await feedClient(signoff, peer)

    expect(isOpenStill).to.equal(true)
    expect(bridged.id >= before.id).to.equal(true)
    expect(isProperEnd).to.equal(true)
    expect([late.status, late.headers['retry-after']]).to.deep.equal([503, '1'])
    late.close()
    await signoff.stop()
    await Promise.all([postgres.remove(), redis.remove()])
  }).timeout(120_000)
})

async function metric(signoff: Signoff, name: string): Promise<number> {
  const text = await (await fetch(`${signoff.adminUrl}/metrics`)).text()
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}

async function residentMiB({ pid }: Signoff): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024
}
