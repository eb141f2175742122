// The ticks of several instances on one journal and one Redis: who relays, and whom Redis is believed by.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { eventually } from '../../../support/service/environment.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'
import type { RelayInstance } from '../../../support/stores/relay-instance.ts'
import type { RelayRig } from '../../../support/stores/relay-rig.ts'
import { relayTicks, type RelayTicks } from '../../../support/stores/relay-ticks.ts'

const MINUTE_MS = 60_000

describe('relayTick', () => {
  let ticks: RelayTicks
  let rig: RelayRig
  let a: RelayInstance
  let b: RelayInstance

  before(async () => {
    ticks = await relayTicks()
    rig = ticks.rig
  })
  after(async () => {
    await rig.close()
  })
  beforeEach(async () => {
    await ticks.reset()
    a = await ticks.start()
    b = await ticks.start()
  })

  const present = async () =>
    (await rig.store.database.sql<{ id: string }>('SELECT id FROM instances WHERE left_at IS NULL')).map(
      ({ id }) => id,
    )
  const believes = async (instance: RelayInstance) => (await instance.check(uuidv7())) === 'live'

  describe('one instance', () => {
    it('leads, brings Redis in line, and is in a hurry until it believes it', async () => {
      const hurried: boolean[] = []
      for (let i = 0; i < 4; i += 1) hurried.push(await a.relayTick.tick())

      expect(a.found.map((found) => found.isLeader)).to.deep.equal([true, true, true, true])
      // One to register, one to know from when on, one to be counted in, one to see that.
      expect(hurried).to.deep.equal([true, true, true, false])
      expect(await a.check(uuidv7())).to.equal('live')
      expect(await present()).to.deep.equal([a.id])
    })

    it('believes no watermark that is older than itself, and none of an instance that it has not heard of twice', async () => {
      await ticks.settle()
      const fresh = await ticks.start()
      const answers = [await fresh.check(uuidv7())]

      await fresh.tick()
      answers.push(await fresh.check(uuidv7()))
      await a.tick()
      answers.push(await fresh.check(uuidv7()))
      await fresh.tick()
      answers.push(await fresh.check(uuidv7()))

      expect(answers).to.deep.equal(['unknown', 'unknown', 'unknown', 'live'])
    })

    it('vouches for nothing before it is known that Redis holds all that those before it acknowledged', async () => {
      await a.tick()
      const first = await ticks.wordOf(a)
      await ticks.settle()

      expect(first).to.equal(0)
      expect(await ticks.wordOf(a)).to.be.above(0)
    })

    it('answers unknown after a denial that it could not write, until a later watermark, and others go on', async () => {
      await ticks.settle()
      const sid = uuidv7()
      await a.logoutUnwritten(sid)
      const before = [await a.check(sid), await a.check(uuidv7()), await b.check(uuidv7())]

      await ticks.everybodyTicks()
      const relayed = [await a.check(sid), await b.check(sid), await a.check(uuidv7())]

      expect(before).to.deep.equal(['unknown', 'unknown', 'live'])
      expect(relayed).to.deep.equal(['denied', 'denied', 'unknown'])
      await eventually(async () => {
        await ticks.everybodyTicks()
        return await believes(a)
      }, MINUTE_MS)
    })

    it('does not believe a Redis that was emptied before it is in line', async () => {
      await ticks.settle()
      const sid = uuidv7()
      await a.logout(sid)
      await rig.age()
      await rig.redis.client.flushall()
      const emptied = await a.check(sid)

      await a.tick()

      expect(emptied).to.equal('unknown')
      expect(await a.check(sid)).to.equal('denied')
    })
  })

  describe('two instances', () => {
    it('have one leader', async () => {
      await ticks.everybodyTicks()
      await ticks.everybodyTicks()

      expect([a, b].map(({ found }) => found.map((tick) => tick.isLeader)).sort()).to.deep.equal([
        [false, false],
        [true, true],
      ])
    })

    it('change places when the leader dies, while watermarks stand', async () => {
      await ticks.settle()

      await ticks.outlastLock()
      const leads = await b.tick()

      expect(leads).to.equal(true)
      expect(await a.tick()).to.equal(false)
      expect(await rig.syncedCount()).to.equal(256)
    })

    it('change places at once when the leader loses Redis', async () => {
      await ticks.settle()
      a.connection.client.disconnect()
      await a.tick()

      const leads = await b.tick()

      expect(leads).to.equal(true)
      expect(a.found.at(-1)?.states).to.deep.equal([])
    })

    it('change places at once when the leader may not write to Redis, as to one that is a replica by now', async () => {
      await ticks.settle()
      await ticks.shorten()
      await rig.redis.client.call('ACL', 'SETUSER', 'reader', 'on', 'nopass', '~*', '+@all', '-set')
      await a.connection.client.call('AUTH', 'reader', 'any')
      await a.tick().catch(() => undefined)

      const leads = await b.tick()

      expect(leads).to.equal(true)
      expect(await ticks.isKept()).to.equal(true)
    })

    it('take each other for one deployment, when the leader that was can no longer ask who is there', async () => {
      await ticks.settle()
      a.postgres.isAway = true
      await ticks.outlastLock()
      await b.tick()

      await a.tick()
      await b.tick()

      expect([a, b].map(({ otherDeployment }) => otherDeployment.isSeen())).to.deep.equal([false, false])
      expect(await rig.syncedCount()).to.equal(256)
    })

    it('change places at once when the leader leaves', async () => {
      await ticks.settle()

      await a.relayTick.leave()

      expect(await b.tick()).to.equal(true)
      expect(await present()).to.deep.equal([b.id])
    })
  })

  describe('when Postgres is slow', () => {
    it('to answer the leader, brings Redis in line for others all the same', async () => {
      await ticks.settle()
      a.postgres.delayMs = 700
      const fresh = await ticks.start()

      for (let i = 0; i < 12 && !(await believes(fresh)); i += 1)
        for (const instance of [a, b, fresh]) await ticks.tickSlowly(instance)

      expect(await believes(fresh)).to.equal(true)
      expect(a.found.at(-1)?.isLeader).to.equal(true)
    })

    it('carries over what another process denied all the same, though watermarks stand', async () => {
      await ticks.settle()
      for (const { postgres } of [a, b]) postgres.delayMs = 300
      const sid = uuidv7()
      await rig.store.deny(sid, 3_600_000)

      for (let i = 0; i < 4; i += 1) await ticks.tickSlowly(a)

      expect(await a.check(sid)).to.equal('denied')
    })

    it('brings an empty Redis in line all the same', async () => {
      a.postgres.delayMs = 700

      await ticks.tickSlowly(a)

      expect(await rig.syncedCount()).to.equal(256)
    })

    it('keeps the lease without waiting for its answer', async () => {
      await ticks.settle()
      await ticks.shorten()
      for (const { postgres } of [a, b]) postgres.delayMs = 10_000

      for (const instance of [a, b]) await ticks.tickSlowly(instance)

      expect(a.found.at(-1)?.postgres).to.equal(null)
      expect(await ticks.isKept()).to.equal(true)
      expect(await rig.syncedCount()).to.equal(256)
    })
  })

  describe('an instance that nobody who relays may know of yet', () => {
    const acknowledged = async ({ denylist }: RelayInstance) => {
      await rig.redis.client.config('SET', 'maxmemory', '1')
      const outcome = await refusalOf(denylist.deny([{ id: uuidv7(), ttlMs: 60_000 }]))
      await rig.redis.client.config('SET', 'maxmemory', '0')
      return outcome
    }

    it('acknowledges no denial that it cannot write, until a watermark has counted it in', async () => {
      await ticks.settle()
      const fresh = await ticks.start()
      const early = [await acknowledged(fresh)]
      await fresh.tick()
      early.push(await acknowledged(fresh))
      await ticks.settle()

      expect(early).to.deep.equal(['unavailable', 'unavailable'])
      expect(await acknowledged(fresh)).to.equal('resolved')
    })
  })

  describe('another deployment that writes to the same Redis', () => {
    let other: PostgresStoreSubject
    let stranger: RelayInstance

    beforeEach(async () => {
      other = await postgresStoreSubject()
      stranger = await ticks.start(other)
    })
    afterEach(async () => {
      await ticks.reset()
      await other.close()
    })

    const areSeen = () => [a, b, stranger].map(({ otherDeployment }) => otherDeployment.isSeen())
    /** Both have brought Redis to where it stands for them, one after the other. */
    const meet = async () => {
      for (const instance of [a, b, a, b, stranger]) await instance.tick()
    }

    it('is no reason for anything when it has merely been there first', async () => {
      await stranger.tick()

      for (const instance of [a, a, a]) await instance.tick()

      expect(areSeen()).to.deep.equal([false, false, false])
      expect(await believes(a)).to.equal(true)
    })

    it('is seen by each, and takes away the watermarks of both', async () => {
      await meet()
      const [before, foreign] = [areSeen(), [await believes(a), await rig.syncedCount()]]

      for (const instance of [a, b, stranger]) await instance.tick()

      expect(before).to.deep.equal([false, false, false])
      // The watermarks are the other's: nobody here believes them.
      expect(foreign).to.deep.equal([false, 256])
      expect(areSeen()).to.deep.equal([true, true, true])
      expect(await rig.syncedCount()).to.equal(0)
    })

    it('does not lead to a loss: each writes its whole journal once more', async () => {
      const sid = await rig.denied()
      await rig.age()
      await meet()
      await rig.redis.client.del(`denylist:{0a}:${sid}`)

      await a.tick()

      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('lets no watermark be kept without the journal, either', async () => {
      await meet()
      await a.tick()
      // As those of partitions that the other one has not come to yet.
      await rig.redis.client.set('denylist:{0a}:synced', `1 ${a.journalName() ?? ''} ${a.id}`, 'PX', 1000_000)
      a.postgres.isAway = true
      await ticks.shorten()

      await a.tick()

      expect(await ticks.isKept()).to.equal(false)
    })

    it('is forgotten a minute after it was seen last', async () => {
      await meet()
      await a.tick()
      const meanwhile = await rig.syncedCount()
      const notedForMs = await rig.redis.client.pttl('denylist:{00}:other-deployment')
      await rig.redis.client.del('denylist:{00}:other-deployment')

      await ticks.clock.advance(MINUTE_MS)
      await a.tick()

      expect(meanwhile).to.equal(0)
      expect(notedForMs).to.be.within(1, MINUTE_MS)
      expect(a.otherDeployment.isSeen()).to.equal(false)
      expect(await rig.syncedCount()).to.equal(256)
    })
  })
})
