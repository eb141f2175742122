// What fills the feed: the journal, and while Postgres is away what all instances vouch for in Redis.
import { expect } from 'chai'
import { Client } from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { AuthError } from '../../../../src/auth/errors.ts'
import { denialFeed, type FilledFeed } from '../../../../src/store/feed/denial-feed.ts'
import { follow, type Follow } from '../../../../src/store/feed/follow.ts'
import { announcements, type Announcements } from '../../../../src/store/redis/announcements.ts'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { eventually } from '../../../support/environment.ts'
import { relayInstance, type RelayInstance } from '../../../support/relay-instance.ts'
import { relayRig, type RelayRig } from '../../../support/relay-rig.ts'

const LEASE_SECONDS = 5
const HOUR_MS = 3_600_000

describe('follow', () => {
  let rig: RelayRig
  let connection: RedisConnection
  let instance: RelayInstance
  let feed: FilledFeed
  let heard: Announcements
  let following: Follow
  /** How this feed finds Postgres. */
  let postgres: { isAway: boolean; aheadMs: number }

  before(async () => {
    rig = await relayRig()
  })
  after(async () => {
    await rig.close()
  })
  beforeEach(async () => {
    await rig.reset()
    await rig.store.database.sql('TRUNCATE locks, instances')
    instance = await relayInstance({
      redis: rig.redis,
      store: rig.store,
      leaseMs: LEASE_SECONDS * 1000,
    })
    connection = await connectedRedis(rig.redis.url)
    feed = denialFeed({ leaseSeconds: LEASE_SECONDS, accessAgeSeconds: 300, leewaySeconds: 5 })
    heard = announcements(connection)
    postgres = { isAway: false, aheadMs: 0 }
    following = follow({ feed, journal: journal(), redis: { connection, announcements: heard } })
  })
  afterEach(() => {
    instance.connection.close()
    connection.close()
  })

  const journal = () => ({
    ...rig.store.journal,
    clock: async () => {
      if (postgres.isAway) throw new AuthError('unavailable')
      const { nowMs, settledUpTo } = await rig.store.journal.clock()
      return { nowMs: nowMs + postgres.aheadMs, settledUpTo: settledUpTo + postgres.aheadMs }
    },
  })
  const ids = () => Array.from({ length: feed.end - feed.begin }, (_, i) => feed.at(feed.begin + i).id)
  const listen = async () => {
    // A busy machine may take too long for one.
    await eventually(async () => {
      const denials = await heard.next().catch(() => null)
      feed.hear(denials ?? [])
      return denials !== null
    })
  }
  /** The instance relays and is clean, and the feed is up to date by the journal and by the stream. */
  const settle = async () => {
    for (let i = 0; i < 4; i += 1) await instance.tick()
    await listen()
    await following.step()
  }
  const postgresGoesAway = () => {
    postgres.isAway = true
    instance.postgres.isAway = true
  }
  const loggedOut = async () => {
    const sid = uuidv7()
    await instance.logout(sid)
    return { sid, at: performance.now() }
  }
  const unannounced = async () => {
    const sid = uuidv7()
    await instance.logoutUnwritten(sid)
    return { sid, at: performance.now() }
  }

  describe('with Postgres', () => {
    it('holds what the journal has, as of when it asked', async () => {
      const sid = await rig.denied()
      const askedAt = performance.now()

      const isRead = await following.step()

      expect(isRead).to.equal(true)
      expect(ids()).to.deep.equal([sid])
      expect(feed.asOf).to.be.within(askedAt, performance.now())
      expect(feed.position).to.be.within(Date.now() - 5000, Date.now() + 1000)
    })

    it('reads on from where it was, and holds each denial once', async () => {
      const sids = [await rig.denied()]
      for (let i = 0; i < 3; i += 1) {
        await following.step()
        sids.push(await rig.denied())
      }
      await following.step()

      expect(ids()).to.deep.equal(sids)
    })

    it('leaves out what is older than a token can be, and holds what needs several batches', async () => {
      await rig.manyDenied(3, feed.windowMs / 1000 + 1)
      await rig.manyDenied(6000, 60)

      await following.step()

      expect(ids()).to.have.length(6000)
    })

    it('holds what was written before and commits after it has read, and stays before that', async () => {
      const client = new Client({ connectionString: rig.store.database.url })
      await client.connect()
      const sid = uuidv7()
      await client.query('BEGIN')
      await client.query(
        `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
         VALUES ($1, '00', 'logout', now(), now() + interval '1 hour')`,
        [sid],
      )
      const writtenBy = Date.now()
      await following.step()
      const before = { ids: ids(), position: feed.position }

      await client.query('COMMIT')
      await client.end()
      await following.step()

      expect(before.ids).to.be.empty
      expect(before.position).to.be.at.most(writtenBy)
      expect(ids()).to.deep.equal([sid])
    })

    it('holds what is written after the clock of Postgres was set back', async () => {
      postgres.aheadMs = HOUR_MS
      await following.step()
      postgres.aheadMs = 0
      const sid = await rig.denied()

      await following.step()

      expect(ids()).to.deep.equal([sid])
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
      await listen()
      await listen()
      const calledAt = performance.now()

      const isRead = await following.step()

      expect(isRead).to.equal(false)
      expect(ids()).to.deep.equal([sid])
      expect(feed.asOf).to.be.within(at, calledAt)
    })

    it('goes no further than what it has heard', async () => {
      await settle()
      const { upTo } = heard
      const { at } = await loggedOut()
      postgresGoesAway()
      await instance.tick()
      await instance.tick()

      await following.step()

      expect(feed.asOf).to.be.below(at)
      expect(feed.asOf).to.be.at.least(upTo)
    })

    it('does not when it alone is cut off: the others may go by the journal', async () => {
      await settle()
      const { at } = await unannounced()
      postgres.isAway = true
      await instance.tick()
      await instance.tick()
      await listen()

      await following.step()

      expect(await rig.syncedCount()).to.equal(256)
      expect(feed.asOf).to.be.below(at)
    })

    it('does not when somebody could not announce a denial just now', async () => {
      await settle()
      const { at } = await unannounced()
      while (instance.denylist.requiredUpTo > Date.now()) await instance.tick()
      await instance.tick()
      await instance.tick()
      postgresGoesAway()
      await instance.tick()
      await listen()

      await following.step()

      expect(feed.asOf).to.be.below(at)
    })

    it('does not when the journal went on for longer than what could not be announced was held against it', async () => {
      await settle()
      const { at } = await unannounced()
      while (instance.denylist.cleanAfter > Date.now()) await instance.tick()
      await instance.tick()
      await instance.tick()
      postgresGoesAway()
      await instance.tick()
      await listen()

      await following.step()

      expect(await rig.syncedCount()).to.equal(256)
      expect(feed.asOf).to.be.below(at)
    })

    it('does not when it has not read the journal since it began to listen', async () => {
      for (let i = 0; i < 4; i += 1) await instance.tick()
      await following.step()
      const { at } = await loggedOut()
      await listen()
      postgresGoesAway()
      await instance.tick()
      await instance.tick()
      await listen()

      await following.step()

      expect(feed.asOf).to.be.below(at)
    })

    it('does not when Redis was emptied before it had heard all', async () => {
      await settle()
      const { at } = await loggedOut()
      await rig.redis.client.flushall()
      await instance.tick()
      await instance.tick()
      postgresGoesAway()
      await instance.tick()
      await listen()

      await following.step()

      expect(await rig.syncedCount()).to.equal(256)
      expect(feed.asOf).to.be.below(at)
    })

    it('goes by the journal again when that is back', async () => {
      await settle()
      postgresGoesAway()
      await following.step()
      postgres.isAway = false
      const sid = await rig.denied()
      const askedAt = performance.now()

      expect(await following.step()).to.equal(true)
      expect(ids()).to.deep.equal([sid])
      expect(feed.asOf).to.be.at.least(askedAt)
    })
  })
})
