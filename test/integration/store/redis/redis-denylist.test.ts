// The denylist over a Redis that hangs, dies, forgets or refuses: it never says live without knowing.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { PARTITIONS } from '../../../../src/contract/denylist-keys.ts'
import { redisDenylist } from '../../../../src/store/redis/redis-denylist.ts'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import { untilConnected } from '../../../support/told.ts'
import { eventually } from '../../../support/environment.ts'
import { redisDenylistSubject, type RedisDenylistSubject } from '../../../support/redis-denylist-subject.ts'

/** The timeout of the service, and what a busy machine may add. */
const BOUND_MS = 400
/** How far after a denial a watermark must lie, for clocks that do not run at the same speed. */
const MARGIN_MS = 1000

describe('redisDenylist', () => {
  let subject: RedisDenylistSubject

  beforeEach(async () => {
    subject = await redisDenylistSubject()
  })
  afterEach(async () => {
    await subject.close()
  })

  const check = async (sid = uuidv7()) => await subject.denylist.check({ sid, jti: uuidv4() })
  const deny = async (sid = uuidv7()) => {
    await subject.denylist.deny([{ id: sid, ttlMs: 60_000 }])
  }
  const timed = async <T>(work: Promise<T>): Promise<{ answer: T; ms: number }> => {
    const start = performance.now()
    const answer = await work
    return { answer, ms: performance.now() - start }
  }
  const until = async (condition: () => boolean) => {
    await eventually(async () => await Promise.resolve(condition()), 3000)
  }

  describe('what it writes', () => {
    it('is one key a denial, in the partition of its session, which expires by itself, and the stream', async () => {
      const [sid, other, jti] = [uuidv7(), uuidv7(), uuidv4()]
      const before = await subject.server.client.dbsize()

      await subject.denylist.deny([{ id: sid, ttlMs: 60_000 }])
      await subject.denylist.deny([
        { id: other, ttlMs: 90_000.25 },
        { id: `${other}:${jti}`, ttlMs: 30_000 },
      ])

      const { client } = subject.server
      expect(await client.pttl(`denylist:{${sid.slice(-2)}}:${sid}`)).to.be.within(58_000, 60_000)
      expect(await client.pttl(`denylist:{${other.slice(-2)}}:${other}`)).to.be.within(88_000, 90_001)
      expect(await client.pttl(`denylist:{${other.slice(-2)}}:${other}:${jti}`)).to.be.within(28_000, 30_000)
      expect(await client.dbsize()).to.equal(before + 4)
    })
  })

  describe('what it requires', () => {
    it('is more than any watermark, until it has heard of the clock of Postgres', async () => {
      const connection = await connectedRedis(subject.server.url)
      const fresh = redisDenylist({ connection, onWriteFailure: () => undefined })
      await subject.sync(9e15)

      const answer = await fresh.check({ sid: uuidv7(), jti: uuidv4() })

      expect(answer).to.equal('unknown')
      connection.close()
    })

    it('is a watermark from after its start: one that is as old is not believed', async () => {
      const startedAtMs = subject.denylist.requiredUpTo

      await subject.sync(startedAtMs)
      const asOld = await check()
      await subject.sync(startedAtMs + 1)

      expect(asOld).to.equal('unknown')
      expect(await check()).to.equal('live')
    })

    it('does not rise with the clock', async () => {
      subject.denylist.noteClock(Date.now() + 60_000, performance.now())

      expect(await check()).to.equal('live')
    })

    it('rises to after a denial that was written before the clock was heard of', async () => {
      const connection = await connectedRedis(subject.server.url)
      const fresh = redisDenylist({ connection, onWriteFailure: () => undefined })
      const askedAt = performance.now()
      await sleep(50)
      await fresh.deny([{ id: uuidv7(), ttlMs: 60_000 }])

      fresh.noteClock(1_800_000_000_000, askedAt)

      expect(fresh.requiredUpTo).to.be.within(
        1_800_000_000_000 + MARGIN_MS + 49,
        1_800_000_000_000 + MARGIN_MS + 500,
      )
      connection.close()
    })

    it('is a watermark from after the last denial that could not be written', async () => {
      const nowMs = 1_900_000_000_000
      subject.denylist.noteClock(nowMs, performance.now() - 5000)
      await subject.server.client.config('SET', 'maxmemory', '1')

      await deny()

      expect(subject.denylist.requiredUpTo).to.be.within(nowMs + 5000 + MARGIN_MS, nowMs + 5500 + MARGIN_MS)
      expect(subject.writeFailures).to.have.length(1)
    })

    it('stays as it is when a write fails that was not journaled, or none fails', async () => {
      const before = subject.denylist.requiredUpTo
      await deny()
      await subject.server.client.config('SET', 'maxmemory', '1')

      await subject.denylist.tell([{ id: uuidv7(), ttlMs: 60_000 }])

      expect(subject.writeFailures).to.have.length(1)
      expect(subject.denylist.requiredUpTo).to.equal(before)
      expect(await check()).to.equal('live')
    })

    it('never falls', async () => {
      await subject.server.client.config('SET', 'maxmemory', '1')
      await deny()
      const before = subject.denylist.requiredUpTo

      subject.denylist.noteClock(1000, performance.now())
      await deny()

      expect(subject.denylist.requiredUpTo).to.equal(before)
    })
  })

  describe('when Redis hangs', () => {
    beforeEach(async () => {
      await subject.server.signal('SIGSTOP')
    })
    afterEach(async () => {
      await subject.server.signal('SIGCONT')
    })

    it('answers unknown within its timeout, and at once from then on, until it is said to answer', async () => {
      const first = await timed(check())
      const second = await timed(check())
      await subject.server.signal('SIGCONT')
      await eventually(async () => (await subject.server.client.echo('on')) === 'on')
      const notYet = await check()
      subject.denylist.ask([...PARTITIONS])

      expect([first.answer, second.answer, notYet]).to.deep.equal(['unknown', 'unknown', 'unknown'])
      expect(first.ms).to.be.below(BOUND_MS)
      expect(second.ms).to.be.below(20)
      expect(await check()).to.equal('live')
    })

    it('answers unknown for what it could not deny, until a later watermark', async () => {
      const sid = uuidv7()
      const { ms } = await timed(deny(sid))
      await subject.server.signal('SIGCONT')
      await eventually(async () => (await subject.server.client.echo('on')) === 'on')
      // What waited for Redis is done late.
      await subject.server.client.del(`denylist:{${sid.slice(-2)}}:${sid}`)
      subject.denylist.ask([...PARTITIONS])

      const before = await check(sid)
      await subject.sync(subject.denylist.requiredUpTo + 1)

      expect(ms).to.be.below(BOUND_MS)
      expect(before).to.equal('unknown')
      expect(await check()).to.equal('live')
    })
  })

  describe('when Redis dies', () => {
    it('rises what it requires as the connection breaks, before anybody asks', async () => {
      const before = subject.denylist.requiredUpTo
      await deny()

      await subject.server.signal('SIGKILL')

      await until(() => subject.denylist.requiredUpTo > before)
    })

    it('believes the one that comes back for all but what it denied itself', async () => {
      await subject.server.signal('SIGKILL')
      await subject.server.start()
      await untilConnected(subject.connection)

      expect(await check()).to.equal('live')
    })

    it('does not believe the one that comes back before it is known to hold what this one denied', async () => {
      const sid = uuidv7()
      await deny(sid)
      await subject.server.signal('SIGKILL')
      await subject.server.start()
      await subject.server.client.del(`denylist:{${sid.slice(-2)}}:${sid}`)
      await untilConnected(subject.connection)

      const before = [await check(sid), await check()]
      await subject.sync(subject.denylist.requiredUpTo + 1)

      expect(before).to.deep.equal(['unknown', 'unknown'])
      expect(await check()).to.equal('live')
    })

    it('answers unknown to everybody who was asking', async () => {
      const asked = Array.from({ length: 50 }, async () => await check())
      await subject.server.signal('SIGKILL')

      const { answer, ms } = await timed(Promise.all([...asked, check(), check()]))

      expect(answer.slice(-2)).to.deep.equal(['unknown', 'unknown'])
      expect(ms).to.be.below(BOUND_MS)
    })
  })

  describe('when Redis has no watermark', () => {
    it('answers unknown, and denied for what it holds all the same', async () => {
      const sid = uuidv7()
      await deny(sid)
      await subject.server.client.del(PARTITIONS.map((hh) => `denylist:{${hh}}:synced`))

      expect(await check()).to.equal('unknown')
      expect(await check(sid)).to.equal('denied')
    })

    it('goes by the one of the partition that it asks, and by no other', async () => {
      const [sid, other] = [`${uuidv7().slice(0, -2)}00`, `${uuidv7().slice(0, -2)}01`]
      await subject.server.client.del('denylist:{00}:synced')

      expect(await check(sid)).to.equal('unknown')
      expect(await check(other)).to.equal('live')
    })

    it('takes one that is no number for none', async () => {
      const sid = `${uuidv7().slice(0, -2)}00`
      await subject.server.client.set('denylist:{00}:synced', 'soon')

      expect(await check(sid)).to.equal('unknown')
    })
  })

  describe('when Redis takes no writes', () => {
    beforeEach(async () => {
      await subject.server.client.config('SET', 'maxmemory', '1')
    })

    it('answers unknown from the first denial that is refused', async () => {
      await deny()

      expect(await check()).to.equal('unknown')
    })

    it('answers unknown when one of many is refused', async () => {
      await subject.denylist.deny([
        { id: uuidv7(), ttlMs: 60_000 },
        { id: uuidv7(), ttlMs: 60_000 },
      ])

      expect(await check()).to.equal('unknown')
    })
  })
})
