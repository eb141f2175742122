// The ticks of several instances while the journal cannot be read: watermarks stand by the word of all, or fall.
import { expect } from 'chai'
import { Client } from 'pg'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { AuthError } from '../../../../src/auth/errors.ts'
import { systemClock } from '../../../../src/clock.ts'
import { denialKey } from '../../../../src/contract/denylist-keys.ts'
import { instances } from '../../../../src/store/postgres/instances.ts'
import { ackKey } from '../../../../src/store/redis/instance-acks.ts'
import { introduce } from '../../../../src/store/vouching/introduce.ts'
import { eventually } from '../../../support/service/environment.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'
import type { RelayInstance } from '../../../support/stores/relay-instance.ts'
import { RIG_LEASE_MS, type RelayRig } from '../../../support/stores/relay-rig.ts'
import { relayTicks, type RelayTicks } from '../../../support/stores/relay-ticks.ts'
import { untilConnected } from '../../../support/stores/told.ts'

const MINUTE_MS = 60_000

describe('relayTick without the journal', () => {
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
    await ticks.settle()
  })

  const cutOffFromPostgres = (...instances: RelayInstance[]) => {
    for (const { postgres } of instances) postgres.isAway = true
  }
  const fallsAt = async () => await rig.redis.client.pexpiretime('denylist:{0a}:synced')
  const keptByATick = async (...instances: RelayInstance[]) => {
    await ticks.shorten()
    for (const instance of instances) await instance.tick().catch(() => undefined)
    return await ticks.isKept()
  }

  describe('while Postgres is away', () => {
    it('lets the watermarks stand, as they are, while everybody is clean', async () => {
      const before = await rig.redis.client.get('denylist:{0a}:synced')
      cutOffFromPostgres(a, b)

      const kept = [await keptByATick(a, b), await keptByATick(b, a)]

      expect(kept).to.deep.equal([true, true])
      expect(await rig.syncedCount()).to.equal(256)
      expect(await rig.redis.client.get('denylist:{0a}:synced')).to.equal(before)
      expect([await a.check(uuidv7()), await b.check(uuidv7())]).to.deep.equal(['live', 'live'])
    })

    it('lets them stand where the leader has read the journal once more than the others', async () => {
      await b.tick()
      await a.tick()
      const word = (await ticks.wordOf(b)) ?? NaN
      cutOffFromPostgres(a, b)

      const kept = [await keptByATick(b, a), await keptByATick(b, a)]

      expect(kept).to.deep.equal([true, true])
      expect(await ticks.wordOf(b)).to.be.above(word)
    })

    it('lets them fall when a command has ended sessions, and Redis was not told', async () => {
      const instanceId = uuidv4()
      const command = instances(rig.store.postgres, { id: instanceId, name: 'a command', isCommand: true })
      const introduced = introduce({ clock: systemClock, instanceId, instances: command })
      await eventually(async () => {
        await ticks.everybodyTicks()
        return await Promise.race([introduced, Promise.resolve(false)])
      }, MINUTE_MS)
      cutOffFromPostgres(a, b)

      expect(await introduced).to.equal(true)
      expect(await keptByATick(a, b)).to.equal(false)
    })

    it('lets them fall when one has a denial that it could not write, a lease after its word', async () => {
      const word = (await ticks.wordOf(b)) ?? NaN
      const sid = uuidv7()
      await b.logoutUnwritten(sid)
      cutOffFromPostgres(a, b)

      for (let i = 0; i < 3; i += 1) await ticks.everybodyTicks()
      const found = { word: await ticks.wordOf(b), fallsAt: await fallsAt() }
      await rig.redis.client.set(ackKey(b.id), word - RIG_LEASE_MS)
      const isKeptForLonger = await keptByATick(a)
      await ticks.fall()
      await ticks.everybodyTicks()

      expect(found.word).to.equal(word)
      expect(found.fallsAt).to.be.within(word, word + RIG_LEASE_MS)
      expect(isKeptForLonger).to.equal(false)
      expect(await rig.syncedCount()).to.equal(0)
      expect([await a.check(sid), await b.check(sid)]).to.deep.equal(['unknown', 'unknown'])
    })

    it('lets them fall when one does not answer for itself any more, a lease after its word', async () => {
      const word = (await ticks.wordOf(b)) ?? NaN
      cutOffFromPostgres(a, b)
      b.connection.close()

      await a.tick()
      const fellAt = await fallsAt()
      await rig.redis.client.del(ackKey(b.id))

      expect(fellAt).to.be.within(word, word + RIG_LEASE_MS)
      expect(await keptByATick(a)).to.equal(false)
    })

    it('lets them fall when nobody led before', async () => {
      await a.relayTick.leave()
      cutOffFromPostgres(a, b)

      expect(await keptByATick(a, b)).to.equal(false)
    })

    it('lets them fall when the leader lost Redis since, and found it again', async () => {
      cutOffFromPostgres(a, b)
      const { client } = a.connection
      client.disconnect()
      await eventually(async () => await Promise.resolve(client.status === 'end'), MINUTE_MS)
      await client.connect()
      await untilConnected(a.connection)

      expect(await keptByATick(a, b)).to.equal(false)
    })

    it('goes on where it was when Postgres is back, with what could not be written', async () => {
      const sid = uuidv7()
      await b.logoutUnwritten(sid)
      cutOffFromPostgres(a, b)
      await ticks.fall()
      await ticks.everybodyTicks()
      const whileAway = await rig.syncedCount()
      for (const { postgres } of ticks.started) postgres.isAway = false

      await eventually(async () => {
        await ticks.everybodyTicks()
        const answers = [await a.check(uuidv7()), await b.check(uuidv7())]
        return answers.every((answer) => answer === 'live')
      }, MINUTE_MS)

      expect(whileAway).to.equal(0)
      expect(await rig.syncedCount()).to.equal(256)
      expect([await a.check(sid), await b.check(sid)]).to.deep.equal(['denied', 'denied'])
    })
  })

  describe('while Postgres answers, and somebody has locked the table of the journal', () => {
    let client: Client

    beforeEach(async () => {
      client = new Client({ connectionString: rig.store.database.url })
      await client.connect()
      await client.query('BEGIN')
      await client.query('LOCK TABLE revocations IN ACCESS EXCLUSIVE MODE')
    })
    afterEach(async () => {
      await client.end()
    })

    it('lets the watermarks stand, as they are, while everybody is clean', async () => {
      const before = await rig.redis.client.get('denylist:{0a}:synced')
      await ticks.shorten()

      const outcome = await refusalOf(a.tick())

      expect(outcome).to.equal('unavailable')
      expect(a.found.at(-1))
        .to.include({ isLeader: true })
        .and.have.property('postgres')
        .that.is.not.equal(null)
      expect(await ticks.isKept()).to.equal(true)
      expect(await rig.redis.client.get('denylist:{0a}:synced')).to.equal(before)
      expect(await rig.syncedCount()).to.equal(256)
    })

    it('lets them fall when one does not answer for itself any more', async () => {
      await rig.redis.client.del(ackKey(b.id))

      expect(await keptByATick(a)).to.equal(false)
    })
  })

  describe('an instance that is gone while a denial of it is missing', () => {
    /** `b` ends a session that Redis is not told of, and stops in good order. */
    const leaveUnclean = async (): Promise<string> => {
      const sid = uuidv7()
      await b.logoutUnwritten(sid)
      await b.relayTick.leave()
      return sid
    }
    /** The leader hears what Postgres says of the instances, but not of the journal. */
    const failJournal = () => {
      a.hooks.beforeRead = async () => {
        await Promise.reject(new AuthError('unavailable'))
      }
    }
    const forget = async () => {
      await rig.store.database.sql('DELETE FROM instances WHERE id = $1', [b.id])
    }

    it('is not forgotten, though it was clean at its last tick', async () => {
      await leaveUnclean()

      const [row] = await rig.store.database.sql<{ left_at: Date | null }>(
        'SELECT left_at FROM instances WHERE id = $1',
        [b.id],
      )
      expect(row).to.deep.equal({ left_at: null })
    })

    it('is waited for by a leader that has not read the journal since', async () => {
      const sid = await leaveUnclean()
      await forget()
      failJournal()
      await a.tick().catch(() => undefined)
      cutOffFromPostgres(a)
      const isKeptByItsWord = await keptByATick(a)

      await rig.redis.client.del(ackKey(b.id))

      expect(isKeptByItsWord).to.equal(true)
      expect(await keptByATick(a)).to.equal(false)
      expect(await rig.redis.client.exists(denialKey(sid))).to.equal(0)
    })

    it('is waited for by a leader that did not lead meanwhile, and has not read the journal since', async () => {
      await ticks.outlastLock()
      await rig.store.database.sql(`UPDATE locks SET holder = $1, expires_at = now() + interval '1 hour'`, [
        b.id,
      ])
      await a.tick()
      const sid = await leaveUnclean()
      await forget()
      await ticks.outlastLock()
      failJournal()
      await a.tick().catch(() => undefined)
      cutOffFromPostgres(a)

      expect(await keptByATick(a)).to.equal(false)
      expect(a.found.at(-1)?.isLeader).to.equal(true)
      expect(await rig.redis.client.exists(denialKey(sid))).to.equal(0)
    })
  })
})
