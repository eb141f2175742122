// The ticks of several instances on one journal and one Redis: who relays, and whom Redis is believed by.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { AuthError } from '../../../../src/auth/errors.ts'
import { denialKey } from '../../../../src/contract/denylist-keys.ts'
import { untilConnected } from '../../../support/told.ts'
import { eventually } from '../../../support/environment.ts'
import { refusalOf } from '../../../support/refusal-of.ts'
import { relayInstance, type RelayInstance } from '../../../support/relay-instance.ts'
import { relayRig, type RelayRig } from '../../../support/relay-rig.ts'

const LEASE_MS = 1000

describe('relayTick', () => {
  let rig: RelayRig
  let a: RelayInstance
  let b: RelayInstance
  const started: RelayInstance[] = []

  before(async () => {
    rig = await relayRig()
  })
  after(async () => {
    await rig.close()
  })
  beforeEach(async () => {
    await rig.reset()
    await rig.store.database.sql('TRUNCATE locks, instances')
    a = await start()
    b = await start()
  })
  afterEach(() => {
    for (const { connection } of started.splice(0)) connection.close()
  })

  async function start(leaseMs = LEASE_MS): Promise<RelayInstance> {
    const instance = await relayInstance({ redis: rig.redis, store: rig.store, leaseMs })
    started.push(instance)
    return instance
  }

  const everybodyTicks = async (instances = started) => {
    await Promise.all(instances.map(async (instance) => await instance.tick()))
  }
  /** As often as needed for everybody to believe Redis; the first of them leads. */
  const settle = async () => {
    for (let i = 0; i < 3; i += 1) for (const instance of started) await instance.tick()
  }
  const present = async () =>
    (await rig.store.database.sql<{ id: string }>('SELECT id FROM instances')).map(({ id }) => id)
  /** The lock is free by then, as after three seconds without its holder. */
  const outlastLock = async () => {
    await rig.store.database.sql('UPDATE locks SET expires_at = now()')
  }
  const cutOffFromPostgres = (...instances: RelayInstance[]) => {
    for (const { postgres } of instances) postgres.isAway = true
  }
  /** Ticks every quarter of a second; resolves to how many watermarks stood at the least. */
  const tickFor = async (ms: number, instances = started): Promise<number> => {
    const endsAt = performance.now() + ms
    let least = Infinity
    while (performance.now() < endsAt) {
      await Promise.all([everybodyTicks(instances).catch(() => undefined), sleep(250)])
      least = Math.min(least, await rig.syncedCount())
    }
    return least
  }

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

    it('believes no watermark that is older than itself', async () => {
      await settle()
      const fresh = await start()
      const answers = [await fresh.check(uuidv7())]

      await fresh.tick()
      answers.push(await fresh.check(uuidv7()))
      await a.tick()
      answers.push(await fresh.check(uuidv7()))

      expect(answers).to.deep.equal(['unknown', 'unknown', 'live'])
    })

    it('says nothing for itself before it is known that Redis holds all that those before it acknowledged', async () => {
      const word = async () => await rig.redis.client.exists(`denylist:instance:${a.id}`)

      await a.tick()
      const first = await word()
      await settle()

      expect(first).to.equal(0)
      expect(await word()).to.equal(1)
    })

    it('answers unknown after a denial that it could not write, until a later watermark, and others go on', async () => {
      await settle()
      const sid = uuidv7()
      await a.logoutUnwritten(sid)
      const before = [await a.check(sid), await a.check(uuidv7()), await b.check(uuidv7())]

      await everybodyTicks()
      await everybodyTicks()
      const relayed = [await a.check(sid), await b.check(sid), await a.check(uuidv7())]
      await sleep(1100)
      await settle()

      expect(before).to.deep.equal(['unknown', 'unknown', 'live'])
      expect(relayed).to.deep.equal(['denied', 'denied', 'unknown'])
      expect(await a.check(uuidv7())).to.equal('live')
    })

    it('does not believe a Redis that was emptied before it is in line', async () => {
      await settle()
      const sid = uuidv7()
      await a.logout(sid)
      await rig.age()
      await rig.redis.client.flushall()
      const emptied = await a.check(sid)

      await a.tick()
      await a.tick()

      expect(emptied).to.equal('unknown')
      expect(await a.check(sid)).to.equal('denied')
    })
  })

  describe('two instances', () => {
    it('have one leader', async () => {
      await everybodyTicks()
      await everybodyTicks()

      expect([a, b].map(({ found }) => found.map((tick) => tick.isLeader)).sort()).to.deep.equal([
        [false, false],
        [true, true],
      ])
    })

    it('change places when the leader dies, while watermarks stand', async () => {
      await settle()

      await outlastLock()
      const leads = await b.tick()

      expect(leads).to.equal(true)
      expect(await a.tick()).to.equal(false)
      expect(await rig.syncedCount()).to.equal(256)
    })

    it('change places at once when the leader loses Redis', async () => {
      await settle()
      a.connection.client.disconnect()
      await a.tick()

      const leads = await b.tick()

      expect(leads).to.equal(true)
      expect(a.found.at(-1)?.states).to.deep.equal([])
    })

    it('change places at once when the leader may not write to Redis, as to one that is a replica by now', async () => {
      await settle()
      await rig.redis.client.call('ACL', 'SETUSER', 'reader', 'on', 'nopass', '~*', '+@all', '-set')
      await a.connection.client.call('AUTH', 'reader', 'any')
      await a.tick().catch(() => undefined)

      const leads = await b.tick()

      expect(leads).to.equal(true)
      expect(await rig.syncedMsLeft()).to.be.above(LEASE_MS - 500)
    })

    it('change places at once when the leader leaves', async () => {
      await settle()

      await a.relayTick.leave()

      expect(await b.tick()).to.equal(true)
      expect(await present()).to.deep.equal([b.id])
    })
  })

  describe('when Postgres is slow', () => {
    const LONG_LEASE_MS = 2500

    beforeEach(async () => {
      for (const { connection } of started.splice(0)) connection.close()
      a = await start(LONG_LEASE_MS)
      b = await start(LONG_LEASE_MS)
    })

    it('to answer the leader, brings Redis in line for others all the same', async () => {
      await settle()
      a.postgres.delayMs = 700
      const fresh = await start(LONG_LEASE_MS)

      const isBelieved = async () => (await fresh.check(uuidv7())) === 'live'
      for (let i = 0; i < 12 && !(await isBelieved()); i += 1) await tickFor(1)

      expect(await isBelieved()).to.equal(true)
    })

    it('carries over what another process denied all the same, though watermarks stand', async () => {
      await settle()
      for (const { postgres } of [a, b]) postgres.delayMs = 300
      const sid = uuidv7()
      await rig.store.deny(sid, 60_000)

      for (let i = 0; i < 4; i += 1) await a.tick()

      expect(await a.check(sid)).to.equal('denied')
    })

    it('brings an empty Redis in line all the same', async () => {
      a.postgres.delayMs = 700

      await a.tick()

      expect(await rig.syncedCount()).to.equal(256)
    })

    it('keeps the lease without waiting for its answer', async () => {
      await settle()
      a.postgres.delayMs = 10_000
      b.postgres.delayMs = 10_000

      const least = await tickFor(LONG_LEASE_MS + 500)

      expect(least).to.equal(256)
    })
  })

  describe('while Postgres is away', () => {
    it('lets the watermarks stand, as they are, while everybody is clean', async () => {
      await settle()
      const before = await rig.redis.client.get('denylist:{0a}:synced')
      cutOffFromPostgres(a, b)

      const least = await tickFor(1.5 * LEASE_MS)

      expect(least).to.equal(256)
      expect(await rig.redis.client.get('denylist:{0a}:synced')).to.equal(before)
      expect([await a.check(uuidv7()), await b.check(uuidv7())]).to.deep.equal(['live', 'live'])
    })

    it('lets them fall when one has a denial that it could not write, within the lease', async () => {
      await settle()
      const sid = uuidv7()
      await b.logoutUnwritten(sid)
      const acknowledgedAt = performance.now()
      cutOffFromPostgres(a, b)

      while ((await a.check(sid)) === 'live') await Promise.all([everybodyTicks(), sleep(50)])
      const fellAfterMs = performance.now() - acknowledgedAt
      await tickFor(LEASE_MS)

      expect(fellAfterMs).to.be.below(LEASE_MS + 200)
      expect(await rig.syncedCount()).to.equal(0)
      expect([await a.check(sid), await b.check(sid)]).to.deep.equal(['unknown', 'unknown'])
    })

    it('lets them fall when one does not answer for itself any more', async () => {
      await settle()
      cutOffFromPostgres(a, b)
      b.connection.close()

      await tickFor(LEASE_MS + 200)

      expect(await rig.syncedCount()).to.equal(0)
    })

    it('lets them fall when nobody led before', async () => {
      await settle()
      await a.relayTick.leave()
      cutOffFromPostgres(a, b)

      await tickFor(LEASE_MS + 200)

      expect(await rig.syncedCount()).to.equal(0)
    })

    it('lets them fall when the leader lost Redis since, and found it again', async () => {
      await settle()
      cutOffFromPostgres(a, b)
      const { client } = a.connection
      client.disconnect()
      await eventually(async () => await Promise.resolve(client.status === 'end'))
      await client.connect()
      await untilConnected(a.connection)

      await tickFor(LEASE_MS + 200)

      expect(await rig.syncedCount()).to.equal(0)
    })

    it('goes on where it was when Postgres is back, with what could not be written', async () => {
      await settle()
      const sid = uuidv7()
      await b.logoutUnwritten(sid)
      cutOffFromPostgres(a, b)
      await tickFor(LEASE_MS + 200)
      for (const { postgres } of started) postgres.isAway = false

      await tickFor(3000)

      expect(await rig.syncedCount()).to.equal(256)
      expect([await a.check(sid), await b.check(sid)]).to.deep.equal(['denied', 'denied'])
      expect([await a.check(uuidv7()), await b.check(uuidv7())]).to.deep.equal(['live', 'live'])
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
      await settle()
      const fresh = await start()
      const early = [await acknowledged(fresh)]
      await fresh.tick()
      early.push(await acknowledged(fresh))
      await settle()
      expect(early).to.deep.equal(['unavailable', 'unavailable'])
      expect(await acknowledged(fresh)).to.equal('resolved')
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

    it('is not forgotten, though it was clean at its last tick', async () => {
      await settle()

      await leaveUnclean()

      expect(await present()).to.include(b.id)
    })

    it('is waited for by a leader that has not read the journal since', async () => {
      await settle()
      const sid = await leaveUnclean()
      await rig.store.database.sql('DELETE FROM instances WHERE id = $1', [b.id])
      failJournal()
      await a.tick().catch(() => undefined)
      cutOffFromPostgres(a)

      await tickFor(LEASE_MS + 200, [a])

      expect(await rig.redis.client.exists(denialKey(sid))).to.equal(0)
      expect(await rig.syncedCount()).to.equal(0)
    })

    it('is waited for by a leader that did not lead meanwhile, and has not read the journal since', async () => {
      await settle()
      await outlastLock()
      await rig.store.database.sql(`UPDATE locks SET holder = $1, expires_at = now() + interval '1 hour'`, [
        b.id,
      ])
      await a.tick()
      const sid = await leaveUnclean()
      await rig.store.database.sql('DELETE FROM instances WHERE id = $1', [b.id])
      await outlastLock()
      failJournal()
      await a.tick().catch(() => undefined)
      cutOffFromPostgres(a)

      await tickFor(LEASE_MS + 200, [a])

      expect(await rig.redis.client.exists(denialKey(sid))).to.equal(0)
      expect(await rig.syncedCount()).to.equal(0)
    })
  })
})
