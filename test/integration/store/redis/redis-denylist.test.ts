// The denylist over a Redis that hangs, dies, forgets or refuses: it never says live without knowing.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { PARTITIONS } from '../../../../src/contract/denylist-keys.ts'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import { writeDenials } from '../../../../src/store/redis/redis-denylist.ts'
import { requiredUpTo } from '../../../../src/store/vouching/required-up-to.ts'
import { eventually } from '../../../support/service/environment.ts'
import {
  redisDenylistSubject,
  SUBJECT_JOURNAL,
  SUBJECT_RELAY,
  type RedisDenylistSubject,
} from '../../../support/stores/redis-denylist-subject.ts'

const MINUTE_MS = 60_000
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
    await subject.denylist.deny([{ id: sid, ttlMs: 600_000 }])
  }
  const until = async (condition: () => boolean) => {
    await eventually(async () => await Promise.resolve(condition()), MINUTE_MS)
  }
  const refuseWrites = async () => {
    await subject.server.client.config('SET', 'maxmemory', '1')
  }
  const keyOf = (id: string) => `denylist:{${id.split(':')[0]?.slice(-2)}}:${id}`
  const watermark = (over: { upTo?: number; journal?: string; instance?: string } = {}) => {
    const { upTo = 9e15, journal = SUBJECT_JOURNAL, instance = SUBJECT_RELAY } = over
    return `${upTo} ${journal} ${instance}`
  }

  describe('what it writes', () => {
    it('is one key a denial, in the partition of its session, which expires by itself, and the stream', async () => {
      const [sid, other, jti] = [uuidv7(), uuidv7(), uuidv4()]
      const before = await subject.server.client.dbsize()

      await subject.denylist.deny([{ id: sid, ttlMs: 600_000 }])
      await subject.denylist.deny([
        { id: other, ttlMs: 900_000.25 },
        { id: `${other}:${jti}`, ttlMs: 300_000 },
      ])

      const { client } = subject.server
      expect(await client.pttl(keyOf(sid))).to.be.within(540_000, 600_000)
      expect(await client.pttl(keyOf(other))).to.be.within(840_000, 900_001)
      expect(await client.pttl(keyOf(`${other}:${jti}`))).to.be.within(240_000, 300_000)
      expect(await client.dbsize()).to.equal(before + 4)
    })

    it('is announced with the name of the journal, and not where nobody knows that', async () => {
      const [sid, unnamed] = [uuidv7(), uuidv7()]
      const { commands } = subject.connection

      await deny(sid)
      await writeDenials({ commands, journalName: null }, [{ id: unnamed, ttlMs: 600_000 }])

      const { client } = subject.server
      const entries = await client.xrange('denylist:{00}:announced', '-', '+')
      expect(entries.map(([, fields]) => fields)).to.deep.equal([['journal', SUBJECT_JOURNAL, sid, '600000']])
      expect(await client.exists(keyOf(unnamed))).to.equal(1)
    })
  })

  describe('what it believes', () => {
    it('is a denial, without any watermark', async () => {
      const sid = uuidv7()
      await deny(sid)
      await subject.server.client.del(PARTITIONS.map((hh) => `denylist:{${hh}}:synced`))

      expect(await check()).to.equal('unknown')
      expect(await check(sid)).to.equal('denied')
    })

    it('is what this instance holds itself, whatever Redis has, and when nobody asks Redis', async () => {
      const [sid, other, jti] = [uuidv7(), uuidv7(), uuidv4()]
      subject.held.add(sid).add(`${other}:${jti}`)

      const answers = [await check(sid), await check(other)]
      subject.denylist.ask([])
      answers.push(await check(sid), await subject.denylist.check({ sid: other, jti }))

      expect(answers).to.deep.equal(['denied', 'live', 'denied', 'denied'])
    })

    it('is what this instance has heard of while it asked', async () => {
      const sid = uuidv7()
      const asking = check(sid)
      subject.held.add(sid)

      expect(await asking).to.equal('denied')
    })

    it('is the watermark of the partition that it asks, and no other', async () => {
      const [sid, other] = [`${uuidv7().slice(0, -2)}00`, `${uuidv7().slice(0, -2)}01`]
      await subject.server.client.del('denylist:{00}:synced')

      expect(await check(sid)).to.equal('unknown')
      expect(await check(other)).to.equal('live')
    })

    it('is a watermark of its journal that an instance of its deployment has set, and no other text', async () => {
      const sid = `${uuidv7().slice(0, -2)}00`
      const texts = [
        'soon',
        '9000000000000000',
        watermark({ journal: 'another' }),
        watermark({ instance: 'other' }),
      ]
      const answers: string[] = []
      for (const text of [...texts, watermark()]) {
        await subject.server.client.set('denylist:{00}:synced', text)
        answers.push(await check(sid))
      }

      expect(answers).to.deep.equal([...texts.map(() => 'unknown'), 'live'])
    })

    it('is a watermark only as long as the instance that set it is listed', async () => {
      const before = await check()
      subject.believed.clear()

      expect([before, await check()]).to.deep.equal(['live', 'unknown'])
    })
  })

  describe('what it requires', () => {
    it('is more than any watermark, until it has heard of the clock of Postgres', async () => {
      const fresh = subject.fresh(requiredUpTo(subject.clock))
      await subject.sync(9e15)

      expect(await fresh.check({ sid: uuidv7(), jti: uuidv4() })).to.equal('unknown')
    })

    it('is a watermark from after its start: one that is as old is not believed', async () => {
      const startedAtMs = subject.required.requiredUpTo

      await subject.sync(startedAtMs)
      const asOld = await check()
      await subject.sync(startedAtMs + 1)

      expect(asOld).to.equal('unknown')
      expect(await check()).to.equal('live')
    })

    it('does not rise with the clock', async () => {
      subject.required.noteClock(subject.required.requiredUpTo + 60_000, subject.clock.steadyMs())

      expect(await check()).to.equal('live')
    })

    it('rises to after a denial that was written before the clock was heard of', async () => {
      const required = requiredUpTo(subject.clock)
      const fresh = subject.fresh(required)
      const askedAt = subject.clock.steadyMs()
      await subject.clock.advance(50)
      await fresh.deny([{ id: uuidv7(), ttlMs: 600_000 }])

      required.noteClock(1_900_000_000_000, askedAt)

      expect(required.requiredUpTo).to.equal(1_900_000_000_000 + 50 + MARGIN_MS)
    })

    it('is a watermark from after the last denial that could not be written', async () => {
      const nowMs = 1_900_000_000_000
      subject.required.noteClock(nowMs, subject.clock.steadyMs())
      await subject.clock.advance(5000)
      await refuseWrites()

      await deny()

      expect(subject.required.requiredUpTo).to.equal(nowMs + 5000 + MARGIN_MS)
      expect(subject.writeFailures).to.have.length(1)
    })

    it('stays as it is when a write fails that was not journaled, or none fails', async () => {
      const before = subject.required.requiredUpTo
      await deny()
      await refuseWrites()

      await subject.denylist.tell([{ id: uuidv7(), ttlMs: 600_000 }])

      expect(subject.writeFailures).to.have.length(1)
      expect(subject.required.requiredUpTo).to.equal(before)
      expect(await check()).to.equal('live')
    })

    it('never falls', async () => {
      await refuseWrites()
      await deny()
      const before = subject.required.requiredUpTo

      subject.required.noteClock(1000, subject.clock.steadyMs())
      await deny()

      expect(subject.required.requiredUpTo).to.equal(before)
    })
  })

  describe('when Redis hangs', () => {
    beforeEach(async () => {
      await subject.close()
      subject = await redisDenylistSubject({ connect: connectedRedis })
      await subject.server.signal('SIGSTOP')
    })
    afterEach(async () => {
      await subject.server.signal('SIGCONT')
    })

    const goesOn = async () => {
      await subject.server.signal('SIGCONT')
      await eventually(
        async () =>
          (await subject.server.client.echo('on').catch(() => null)) === 'on' && subject.connection.isReady,
        MINUTE_MS,
      )
    }
    /** A busy machine may take longer than the service waits. */
    const untilLive = async () => {
      await eventually(async () => {
        subject.denylist.ask(PARTITIONS)
        return (await check()) === 'live'
      }, MINUTE_MS)
    }

    it('answers unknown, and asks Redis no more until it is said to answer', async () => {
      const asked: string[][] = []
      const { commands } = subject.connection
      const mget = commands.mget.bind(commands)
      commands.mget = async (keys) => {
        asked.push(keys)
        return await mget(keys)
      }

      const first = await check()
      const second = await check()
      await goesOn()
      const notYet = await check()

      expect([first, second, notYet]).to.deep.equal(['unknown', 'unknown', 'unknown'])
      expect(asked).to.have.length(1)
      await untilLive()
    })

    it('answers unknown for what it could not deny, until a later watermark', async () => {
      const sid = uuidv7()
      await deny(sid)
      await goesOn()
      // What waited for Redis is done late.
      await subject.server.client.del(keyOf(sid))
      subject.denylist.ask(PARTITIONS)

      const before = await check(sid)
      await subject.sync(subject.required.requiredUpTo + 1)

      expect(before).to.equal('unknown')
      await untilLive()
    })
  })

  describe('when Redis dies', () => {
    const comesBack = async () => {
      await subject.server.signal('SIGKILL')
      await subject.server.start()
      await until(() => subject.connection.isReady)
      subject.denylist.ask(PARTITIONS)
    }

    it('rises what it requires as the connection breaks, before anybody asks', async () => {
      const before = subject.required.requiredUpTo
      await deny()

      await subject.server.signal('SIGKILL')

      await until(() => subject.required.requiredUpTo > before)
    })

    it('believes the one that comes back for all but what it denied itself', async () => {
      await comesBack()

      expect(await check()).to.equal('live')
    })

    it('does not believe the one that comes back before it is known to hold what this one denied', async () => {
      const sid = uuidv7()
      await deny(sid)
      await comesBack()
      await subject.server.client.del(keyOf(sid))

      const before = [await check(sid), await check()]
      await subject.sync(subject.required.requiredUpTo + 1)

      expect(before).to.deep.equal(['unknown', 'unknown'])
      expect(await check()).to.equal('live')
    })

    it('answers everybody who was asking, and unknown to everybody who asks then', async () => {
      const asked = Array.from({ length: 50 }, async () => await check())
      await subject.server.signal('SIGKILL')
      await until(() => !subject.connection.isReady)

      const answers = await Promise.all(asked)

      for (const answer of answers) expect(answer).to.be.oneOf(['live', 'unknown'])
      expect([await check(), await check()]).to.deep.equal(['unknown', 'unknown'])
    })
  })

  describe('when Redis takes no writes', () => {
    beforeEach(refuseWrites)

    it('answers unknown from the first denial that is refused', async () => {
      await deny()

      expect(await check()).to.equal('unknown')
    })

    it('answers unknown when one of many is refused', async () => {
      await subject.denylist.deny([
        { id: uuidv7(), ttlMs: 600_000 },
        { id: uuidv7(), ttlMs: 600_000 },
      ])

      expect(await check()).to.equal('unknown')
    })

    it('lets nothing be acknowledged that others might not hear of', async () => {
      subject.denylist.setRegisteredUntil(subject.clock.steadyMs() + 1000)
      await deny()
      await subject.clock.advance(1000)

      const outcome = await deny().catch(String)

      expect(outcome).to.match(/unavailable/)
    })

    it('says of no denial that nobody was promised that it failed', async () => {
      subject.denylist.setRegisteredUntil(-Infinity)

      await subject.denylist.tell([{ id: uuidv7(), ttlMs: 600_000 }])

      expect(subject.writeFailures).to.have.length(1)
    })
  })
})
