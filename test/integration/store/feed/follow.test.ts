// What fills the feed: the journal, and while Postgres is away what all instances vouch for in Redis.
import { expect } from 'chai'
import { Client } from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { AuthError } from '../../../../src/auth/errors.ts'
import { denialFeed, type FilledFeed } from '../../../../src/store/feed/denial-feed.ts'
import { follow, type Follow } from '../../../../src/store/feed/follow.ts'
import type { JournalClock, JournalReader } from '../../../../src/store/postgres/journal-reader.ts'
import { announcements, type Announcements } from '../../../../src/store/redis/announcements.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { vouchFeed } from '../../../../src/store/vouching/vouch-feed.ts'
import { patientRedis } from '../../../support/stores/patient-redis.ts'
import type { RelayInstance } from '../../../support/stores/relay-instance.ts'
import { RIG_LEASE_MS } from '../../../support/stores/relay-rig.ts'
import { relayTicks, type RelayTicks } from '../../../support/stores/relay-ticks.ts'

const HOUR_MS = 3_600_000
/** A reader of the announcements may be away for this long. */
const GAP_MS = 29_000

describe('follow', () => {
  let ticks: RelayTicks
  let connection: RedisConnection
  let instance: RelayInstance
  let feed: FilledFeed
  let heard: Announcements
  let following: Follow
  let clocks: JournalClock[]
  /** How this feed finds Postgres. */
  let postgres: { isAway: boolean; aheadMs: number; openForMs: number; epoch: string | null }
  /** What it waits for before Postgres answers it. */
  let gate: Promise<void>

  before(async () => {
    ticks = await relayTicks()
  })
  after(async () => {
    await ticks.rig.close()
  })
  beforeEach(async () => {
    await ticks.reset()
    instance = await ticks.start()
    connection = await patientRedis(ticks.rig.redis.url)
    const { clock } = ticks
    feed = denialFeed({ leaseSeconds: RIG_LEASE_MS / 1000, accessAgeSeconds: 300, leewaySeconds: 5 }, clock)
    heard = announcements({ connection, clock, randomId: uuidv7 })
    postgres = { isAway: false, aheadMs: 0, openForMs: 0, epoch: null }
    gate = Promise.resolve()
    clocks = []
    following = follow({
      clock,
      postgresPatienceMs: 500,
      feed,
      journal: journal(),
      vouch: async (readAt) => {
        const deps = { clock, feed, connection, announcements: heard, believes }
        await vouchFeed(deps, readAt)
      },
      onClock: (read) => clocks.push(read),
    })
  })
  afterEach(() => {
    connection.close()
  })

  const believes = ({ journalName, instanceId }: { journalName: string; instanceId: string }) =>
    journalName === instance.journalName() && instanceId === instance.id
  const journal = (): JournalReader => {
    const real = ticks.rig.store.journal
    return {
      ...real,
      clock: async () => {
        await gate
        if (postgres.isAway) throw new AuthError('unavailable')
        const read = await real.clock()
        const { aheadMs, openForMs, epoch } = postgres
        return {
          ...read,
          nowMs: read.nowMs + aheadMs,
          settledUpTo: read.settledUpTo + aheadMs - openForMs,
          serverEpoch: epoch ?? read.serverEpoch,
        }
      },
    }
  }
  const now = () => ticks.clock.steadyMs()
  const ids = () => Array.from({ length: feed.end - feed.begin }, (_, i) => feed.at(feed.begin + i).id)
  const denied = async () => await ticks.rig.denied()
  /** Into the journal, as of a transaction that began so long ago. */
  const deniedAgo = async (seconds: number): Promise<string> => {
    const sid = uuidv7()
    await ticks.rig.store.database.sql(
      `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
       VALUES ($1, '0a', 'logout', now() - $2::float8 * interval '1 second', now() + interval '1 hour')`,
      [sid, seconds],
    )
    return sid
  }
  const listen = async () => {
    feed.hear(await heard.next())
  }
  /** Minutes go by for the instances, more than the test takes; the feed goes on listening. */
  const pass = async () => {
    for (let i = 0; i < 8; i += 1) {
      await ticks.clock.advance(GAP_MS)
      await listen()
    }
  }
  /**
   * The instance relays and is clean, and the feed was up to date by the journal and by the stream half a minute ago.
   * For Postgres no time has passed: otherwise the feed would be too far behind the watermarks to go by them.
   */
  const settle = async () => {
    for (let i = 0; i < 4; i += 1) await instance.tick()
    await listen()
    await following.step()
    await ticks.clock.advance(GAP_MS)
    await listen()
    await instance.tick()
  }
  const postgresGoesAway = () => {
    postgres.isAway = true
    instance.postgres.isAway = true
  }
  const loggedOut = async () => {
    const sid = uuidv7()
    await instance.logout(sid)
    return { sid, at: now() }
  }
  const unannounced = async () => {
    const sid = uuidv7()
    await instance.logoutUnwritten(sid)
    return { sid, at: now() }
  }
  const redisMs = async () => (await ticks.rig.watermarks.read())[0]?.redisNowMs ?? NaN
  /** Redis is in line up to after that. */
  const ticksPast = async (journalMs: () => number) => {
    while ((await ticks.rig.syncedUpTo('00')) <= journalMs()) await instance.tick()
    await instance.tick()
  }

  describe('with Postgres', () => {
    it('holds what the journal has, as of when it asked', async () => {
      const sid = await denied()
      const before = (await ticks.rig.store.journal.clock()).nowMs
      await ticks.clock.advance(1000)

      const isRead = await following.step()

      expect(isRead).to.equal(true)
      expect(ids()).to.deep.equal([sid])
      expect(feed.asOf).to.equal(1000)
      expect(feed.position).to.be.within(before, (await ticks.rig.store.journal.clock()).nowMs)
    })

    it('tells of each reading of the clock', async () => {
      await following.step()
      await following.step()

      expect(clocks.map(({ settledUpTo }) => settledUpTo).at(-1)).to.equal(feed.position)
      expect(clocks).to.have.length(2)
    })

    it('reads on from where it was, and holds each denial once', async () => {
      const sids = [await denied()]
      for (let i = 0; i < 3; i += 1) {
        await following.step()
        sids.push(await denied())
      }
      await following.step()

      expect(ids()).to.deep.equal(sids)
    })

    it('leaves out what is older than a token can be, and holds what needs several batches', async () => {
      // Ten seconds before that are read as well.
      await ticks.rig.manyDenied(3, feed.windowMs / 1000 + 11)
      await ticks.rig.manyDenied(6000, 60)

      await following.step()

      expect(ids()).to.have.length(6000)
    })

    it('holds what was written before and commits after it has read, and stays before that', async () => {
      const client = new Client({ connectionString: ticks.rig.store.database.url })
      await client.connect()
      const sid = uuidv7()
      await client.query('BEGIN')
      await client.query(
        `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
         VALUES ($1, '00', 'logout', now(), now() + interval '1 hour')`,
        [sid],
      )
      const writtenBy = (await ticks.rig.store.journal.clock()).nowMs
      await following.step()
      const before = { ids: ids(), position: feed.position }

      await client.query('COMMIT')
      await client.end()
      await following.step()

      expect(before.ids).to.be.empty
      expect(before.position).to.be.at.most(writtenBy)
      expect(ids()).to.deep.equal([sid])
    })

    it('holds what commits later than a token can be old', async () => {
      postgres.openForMs = 2 * HOUR_MS
      await following.step()
      const sid = await deniedAgo(7200)
      postgres.openForMs = 0

      await following.step()

      expect(ids()).to.deep.equal([sid])
    })

    it('holds what is written after the clock of Postgres was set back', async () => {
      postgres.aheadMs = HOUR_MS
      await following.step()
      postgres.aheadMs = 0
      const sid = await denied()

      await following.step()

      expect(ids()).to.deep.equal([sid])
    })

    it('reads all that matters once more when another server answers: it may count its time anew', async () => {
      await following.step()
      const sid = await deniedAgo(120)
      await following.step()
      const before = ids()
      postgres.epoch = '2-00000002'

      await following.step()

      expect(before).to.be.empty
      expect(ids()).to.deep.equal([sid])
      const tag = feed.resumeId.split('-')[2]
      postgres.epoch = null
      await following.step()
      expect(feed.resumeId.split('-')[2]).not.to.equal(tag)
    })

    it('does not wait for an answer for long, and takes it all the same when it comes', async () => {
      let open = (): void => undefined
      gate = new Promise((resolve) => (open = resolve))
      const sid = await denied()
      const stepping = following.step()
      await ticks.clock.advance(500)
      const first = await stepping
      open()

      const second = await following.step()

      expect([first, second]).to.deep.equal([false, true])
      expect(ids()).to.deep.equal([sid])
      expect(feed.asOf).to.equal(0)
      expect(clocks).to.have.length(1)
    })

    it('says that it has not read when Postgres does not answer', async () => {
      postgres.isAway = true

      expect(await following.step()).to.equal(false)
      expect(feed.isKnown).to.equal(false)
    })
  })

  describe('while Postgres is away', () => {
    it('goes by the word of all instances, and by what they announced', async () => {
      await settle()
      const { sid, at } = await loggedOut()
      postgresGoesAway()
      await instance.tick()
      await instance.tick()
      await pass()

      const isRead = await following.step()

      expect(isRead).to.equal(false)
      expect(ids()).to.deep.equal([sid])
      expect(feed.asOf).to.be.within(at, now())
    })

    it('goes no further than what it has heard', async () => {
      await settle()
      const { upTo } = heard
      await ticks.clock.advance(1000)
      await instance.tick()
      const { at } = await loggedOut()
      postgresGoesAway()
      await instance.tick()
      await instance.tick()
      await ticks.clock.advance(GAP_MS - 1000)

      await following.step()

      expect(feed.asOf).to.be.below(at).and.be.at.most(upTo)
    })

    it('does not when it alone is cut off: the others may go by the journal', async () => {
      await settle()
      const { at } = await unannounced()
      postgres.isAway = true
      await instance.tick()
      await instance.tick()
      await pass()

      await following.step()

      expect(await ticks.rig.syncedCount()).to.equal(256)
      expect(feed.asOf).to.be.below(at)
    })

    it('does not when somebody could not announce a denial just now', async () => {
      await settle()
      const redisAtMs = await redisMs()
      const { at } = await unannounced()
      await ticksPast(() => instance.required.requiredUpTo)
      postgresGoesAway()
      await instance.tick()
      // No more than went by for Redis, which knows how old the word of the instance is.
      await ticks.clock.advance((await redisMs()) - redisAtMs)
      await listen()

      await following.step()

      expect(feed.asOf).to.be.at.most(at)
    })

    it('does not when the journal went on for longer than what could not be announced was held against it', async () => {
      await settle()
      const { at } = await unannounced()
      await ticksPast(() => instance.required.cleanAfter)
      postgresGoesAway()
      await instance.tick()
      await pass()

      await following.step()

      expect(await ticks.rig.syncedCount()).to.equal(256)
      expect(feed.asOf).to.be.below(at)
    })

    it('does not when it has not read the journal since it began to listen', async () => {
      for (let i = 0; i < 4; i += 1) await instance.tick()
      await following.step()
      await ticks.clock.advance(GAP_MS)
      await instance.tick()
      const { at } = await loggedOut()
      await listen()
      postgresGoesAway()
      await instance.tick()
      await instance.tick()
      await pass()

      await following.step()

      expect(feed.asOf).to.be.below(at)
    })

    it('does not when Redis was emptied before it had heard all', async () => {
      await settle()
      const { at } = await loggedOut()
      await ticks.rig.redis.client.flushall()
      await instance.tick()
      await instance.tick()
      postgresGoesAway()
      await instance.tick()
      await pass()

      await following.step()

      expect(await ticks.rig.syncedCount()).to.equal(256)
      expect(feed.asOf).to.be.below(at)
    })

    it('goes by the journal again when that is back', async () => {
      await settle()
      postgresGoesAway()
      await following.step()
      postgres.isAway = false
      const sid = await denied()
      const askedAt = now()

      expect(await following.step()).to.equal(true)
      expect(ids()).to.deep.equal([sid])
      expect(feed.asOf).to.equal(askedAt)
    })
  })
})
