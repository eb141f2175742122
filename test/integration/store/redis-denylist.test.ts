// The denylist over a Redis that hangs, dies, forgets or refuses: it never says live without knowing.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { PARTITIONS } from '../../../src/contract/denylist-keys.ts'
import { connectRedis } from '../../../src/store/redis.ts'
import { redisDenylist } from '../../../src/store/redis-denylist.ts'
import { eventually } from '../../support/environment.ts'
import { redisDenylistSubject, type RedisDenylistSubject } from '../../support/redis-denylist-subject.ts'

/** The timeout of the service, and what a busy machine may add. */
const BOUND_MS = 400

describe('redisDenylist', () => {
  let subject: RedisDenylistSubject

  beforeEach(async () => {
    subject = await redisDenylistSubject()
  })
  afterEach(async () => {
    await subject.close()
  })

  const check = async (sid = uuidv7()) => await subject.denylist.check({ sid, jti: uuidv4() })
  const timed = async <T>(work: Promise<T>): Promise<{ answer: T; ms: number }> => {
    const start = performance.now()
    const answer = await work
    return { answer, ms: performance.now() - start }
  }

  describe('what it writes', () => {
    it('is one key a denial, in the partition of its session, which expires by itself', async () => {
      const [sid, other, jti] = [uuidv7(), uuidv7(), uuidv4()]

      await subject.denylist.deny([{ id: sid, ttlMs: 60_000 }])
      await subject.denylist.deny([
        { id: other, ttlMs: 90_000.25 },
        { id: `${other}:${jti}`, ttlMs: 30_000 },
      ])

      const { client } = subject.server
      expect(await client.pttl(`denylist:{${sid.slice(-2)}}:${sid}`)).to.be.within(58_000, 60_000)
      expect(await client.pttl(`denylist:{${other.slice(-2)}}:${other}`)).to.be.within(88_000, 90_001)
      expect(await client.pttl(`denylist:{${other.slice(-2)}}:${other}:${jti}`)).to.be.within(28_000, 30_000)
      expect(await client.dbsize()).to.equal(PARTITIONS.length + 3)
    })

    it('is a watermark in each partition, that says up to when', async () => {
      await (await subject.denylist.beginRebuild(1_800_000_000_123)).finish()

      const marks = await subject.server.client.mget(PARTITIONS.map((hh) => `denylist:{${hh}}:synced`))

      expect(new Set(marks)).to.deep.equal(new Set(['1800000000123']))
    })
  })

  describe('before it is trusted', () => {
    it('answers unknown, whatever Redis holds', async () => {
      const connection = connectRedis(subject.server.url, () => undefined)
      const fresh = redisDenylist(connection, () => undefined)

      expect(fresh.isTrusted).to.equal(false)
      expect(await fresh.check({ sid: uuidv7(), jti: uuidv4() })).to.equal('unknown')
      connection.disconnect()
    })
  })

  describe('when Redis hangs', () => {
    beforeEach(async () => {
      await subject.server.signal('SIGSTOP')
    })

    it('answers unknown within its timeout, and at once from then on', async () => {
      const first = await timed(check())
      const second = await timed(check())

      expect([first.answer, second.answer]).to.deep.equal(['unknown', 'unknown'])
      expect(first.ms).to.be.below(BOUND_MS)
      expect(second.ms).to.be.below(20)
    })

    it('answers unknown for what it could not deny, until it is trusted anew', async () => {
      const sid = uuidv7()
      const { ms } = await timed(subject.denylist.deny([{ id: sid, ttlMs: 60_000 }]))

      await subject.server.signal('SIGCONT')
      await eventually(async () => (await subject.server.client.echo('on')) === 'on')

      expect(ms).to.be.below(BOUND_MS)
      expect(subject.denylist.isTrusted).to.equal(false)
      expect(await check(sid)).to.equal('unknown')
    })

    it('rejects a write that is not confirmed, of one denial or of many', async () => {
      const outcome = async (count: number) =>
        await subject.denylist
          .write(Array.from({ length: count }, () => ({ id: uuidv7(), ttlMs: 1000 })))
          .then(
            () => 'confirmed',
            () => 'rejected',
          )

      expect(await Promise.all([outcome(1), outcome(2)])).to.deep.equal(['rejected', 'rejected'])
    })
  })

  describe('when Redis dies', () => {
    it('ends trust as the connection breaks, before anybody asks', async () => {
      await subject.server.signal('SIGKILL')

      await eventually(async () => await Promise.resolve(!subject.denylist.isTrusted), 1000)
    })

    it('does not trust the one that comes back', async () => {
      const sid = uuidv7()
      await subject.denylist.deny([{ id: sid, ttlMs: 60_000 }])
      await subject.server.signal('SIGKILL')

      await subject.server.start()
      await eventually(async () => await Promise.resolve(subject.connection.status === 'ready'))

      expect(subject.denylist.isTrusted).to.equal(false)
      expect(await check(sid)).to.equal('unknown')
    })

    it('answers unknown to everybody who was asking', async () => {
      const asked = Array.from({ length: 50 }, async () => await check())
      await subject.server.signal('SIGKILL')

      const { answer, ms } = await timed(Promise.all([...asked, check(), check()]))

      expect(answer.slice(-2)).to.deep.equal(['unknown', 'unknown'])
      expect(ms).to.be.below(BOUND_MS)
    })
  })

  describe('when Redis forgets', () => {
    it('ends trust at the first question', async () => {
      await subject.server.client.flushall()

      expect(await check()).to.equal('unknown')
      expect(subject.denylist.isTrusted).to.equal(false)
    })

    it('is not made to believe by a watermark that somebody else writes', async () => {
      await subject.server.client.flushall()
      await check()

      await (await subject.denylist.beginRebuild(Date.now())).finish()

      expect(await check()).to.equal('unknown')
    })
  })

  describe('when Redis takes no writes', () => {
    beforeEach(async () => {
      await subject.server.client.config('SET', 'maxmemory', '1')
    })

    it('answers unknown from the first denial that is refused', async () => {
      await subject.denylist.deny([{ id: uuidv7(), ttlMs: 60_000 }])

      expect(await check()).to.equal('unknown')
    })

    it('answers unknown when one of many is refused', async () => {
      await subject.denylist.deny([
        { id: uuidv7(), ttlMs: 60_000 },
        { id: uuidv7(), ttlMs: 60_000 },
      ])

      expect(await check()).to.equal('unknown')
    })

    it('rejects the watermark', async () => {
      const outcome = await subject.denylist.beginRebuild(Date.now()).then(
        () => 'confirmed',
        () => 'rejected',
      )

      expect(outcome).to.equal('rejected')
    })
  })

  describe('trust', () => {
    it('is not regained by a rebuild that began before it was lost', () => {
      const { losses } = subject.denylist
      subject.denylist.distrust()

      subject.denylist.trust(losses)

      expect(subject.denylist.isTrusted).to.equal(false)
    })

    it('is not regained by a rebuild that began before it was lost once more', () => {
      subject.denylist.distrust()
      const { losses } = subject.denylist
      subject.denylist.distrust()

      subject.denylist.trust(losses)

      expect(subject.denylist.isTrusted).to.equal(false)
    })

    it('is regained by one that began after, and every change is told once', async () => {
      subject.denylist.distrust()
      subject.denylist.distrust()
      subject.denylist.trust(subject.denylist.losses)
      subject.denylist.trust(subject.denylist.losses)

      expect(await check()).to.equal('live')
      expect(subject.trusted).to.deep.equal([true, false, true])
    })
  })
})
