// A round of the relay, from a real journal to a real Redis: no watermark ever stands over a hole.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Client } from 'pg'
import { denialKey } from '../../../../src/contract/denylist-keys.ts'
import { logEntry } from '../../../support/builders/account.ts'
import { RIG_LEASE_MS, relayRig, sidIn, type Relaying, type RelayRig } from '../../../support/relay-rig.ts'

describe('relayer', () => {
  let rig: RelayRig
  let one: Relaying

  before(async () => {
    rig = await relayRig()
  })
  after(async () => {
    await rig.close()
  })
  beforeEach(async () => {
    await rig.reset()
    one = rig.relaying()
  })

  describe('round', () => {
    it('carries the whole journal into an empty Redis, and marks every partition', async () => {
      await rig.manyDenied(20, 7200)
      const sid = await rig.denied()
      await rig.store.deny(sidIn('0b'), -1)

      const written = await one.round()

      expect(written).to.equal(21)
      expect(await rig.isInRedis(sid)).to.equal(true)
      expect(await rig.syncedCount()).to.equal(256)
      expect(await rig.redis.client.dbsize()).to.equal(21 + 2 * 256)
      expect(await rig.missing()).to.deep.equal([])
    })

    it('sets watermarks to when the journal was settled, for the lease from when Redis was read', async () => {
      const states = await rig.partitions.read()
      const readAtMs = states.find(({ partition }) => partition === '0a')?.redisNowMs ?? 0
      await sleep(50)

      await one.relayer.round(states, 1_900_000_000_000.75)

      expect(await rig.redis.client.get('denylist:{0a}:synced')).to.equal('1900000000000')
      expect(await rig.redis.client.pexpiretime('denylist:{0a}:synced')).to.equal(readAtMs + RIG_LEASE_MS)
    })

    it('carries denials for what is left of them', async () => {
      const sid = await rig.denied()

      await one.round()

      expect(await rig.redis.client.pttl(denialKey(sid))).to.be.within(3_590_000, 3_600_000)
    })

    it('carries a journal of several batches, and tells how far it is', async () => {
      await rig.manyDenied(10_100)

      await one.round()

      expect(one.told.map(({ written, isOver }) => ({ written, isOver }))).to.deep.equal([
        { written: 5000, isOver: false },
        { written: 10_000, isOver: false },
        { written: 10_100, isOver: false },
        { written: 10_100, isOver: true },
      ])
      expect(await rig.missing()).to.deep.equal([])
    })

    it('writes what is new, and nothing twice, from then on', async () => {
      await rig.manyDenied(100)
      await rig.manyDenied(100, 7200)
      const counts = [await one.round(), await one.round()]
      const sid = await rig.denied()

      counts.push(await one.round(), await one.round())

      expect(counts).to.deep.equal([200, 0, 1, 0])
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('carries what committed after the round that it belonged to', async () => {
      await one.round()
      const sid = sidIn('0a')
      await rig.store.database.sql(
        `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
         VALUES ($1, '0a', 'logout', now() - interval '9 seconds', now() + interval '1 minute')`,
        [sid],
      )

      const written = await one.round()

      expect(written).to.equal(1)
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('marks nothing beyond where the oldest open writer began, and carries what that commits', async () => {
      const writer = new Client({ connectionString: rig.store.database.url })
      await writer.connect()
      const sid = sidIn('0a')
      await writer.query('BEGIN')
      const { rows } = await writer.query<{ beganMs: number }>(
        `INSERT INTO revocations (denied_id, partition, reason, expires_at)
         VALUES ($1, '0a', 'logout', now() + interval '1 minute')
         RETURNING (extract(epoch FROM created_at) * 1000)::float8 AS "beganMs"`,
        [sid],
      )
      await sleep(50)
      await one.round()
      const markedUpTo = Number(await rig.redis.client.get('denylist:{0a}:synced'))
      await writer.query('COMMIT')
      await writer.end()

      const written = await one.round()

      expect(markedUpTo).to.equal(Math.floor(rows[0]?.beganMs ?? NaN))
      expect(written).to.equal(1)
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('carries once more what was written anew to hold for longer', async () => {
      const [id, expiresAt] = [`${'ab'.repeat(31)}0a`, Math.floor(Date.now() / 1000) + 600]
      await rig.store.journal.deny({ id, expiresAt }, logEntry('USER_LOGOUT'))
      await one.round()
      await rig.store.journal.deny({ id, expiresAt: expiresAt + 600 }, logEntry('USER_LOGOUT'))

      const written = await one.round()

      expect(written).to.equal(1)
      expect(await rig.redis.client.pttl(denialKey(id))).to.be.above(1_190_000)
    })

    it('goes on after the clock of Postgres was set back', async () => {
      const { nowMs } = await rig.store.journal.clock()
      await one.relayer.round(await rig.partitions.read(), nowMs + 3_600_000)
      const sid = await rig.denied()

      await one.round()

      expect(await rig.isInRedis(sid)).to.equal(true)
      expect(Number(await rig.redis.client.get('denylist:{0a}:synced'))).to.be.closeTo(Date.now(), 5000)
    })

    it('leaves no watermark that peers could see when it hung for longer than the lease', async () => {
      const states = (await rig.partitions.read()).map((state) => ({
        ...state,
        redisNowMs: state.redisNowMs - RIG_LEASE_MS,
      }))

      await one.relayer.round(states, Date.now())

      expect(await rig.syncedCount()).to.equal(0)
    })

    it('rejects, and leaves no watermark, while Redis takes no writes', async () => {
      await rig.denied()
      await rig.redis.client.config('SET', 'maxmemory', '1')

      const outcome = await outcomeOf(one.round())

      expect(outcome).to.equal('rejected')
      expect(await rig.syncedCount()).to.equal(0)
    })
  })

  describe('a partition that lost what it held', () => {
    it('is brought in from the beginning when it was emptied, while the others go on', async () => {
      const [lost, kept] = [await rig.denied('0a'), await rig.denied('0b')]
      await rig.age()
      await one.round()
      await rig.redis.client.del(await rig.redis.client.keys('denylist:{0a}:*'))

      const written = await one.round()

      expect(written).to.equal(1)
      expect([await rig.isInRedis(lost), await rig.isInRedis(kept)]).to.deep.equal([true, true])
      expect(await rig.syncedCount()).to.equal(256)
    })

    it('is brought in from where it was put back to', async () => {
      const [early, late] = [await rig.denied(), await rig.denied()]
      await rig.store.database.sql(
        `UPDATE revocations SET created_at = now() - interval '1 hour' WHERE denied_id = $1`,
        [early],
      )
      await rig.store.database.sql(
        `UPDATE revocations SET created_at = now() - interval '1 minute' WHERE denied_id = $1`,
        [late],
      )
      await one.round()
      await rig.redis.client.set('denylist:{0a}:relayed', `${Date.now() - 120_000}:older`)
      await rig.redis.client.del(denialKey(late))

      const written = await one.round()

      expect(written).to.equal(1)
      expect(await rig.isInRedis(late)).to.equal(true)
    })

    it('gets what this relay wrote last once more, when that may have been lost', async () => {
      const sid = await rig.denied()
      await one.round()
      await rig.redis.client.del(denialKey(sid))

      one.relayer.forget()
      const written = await one.round()

      expect(written).to.equal(1)
      expect(await rig.isInRedis(sid)).to.equal(true)
    })
  })

  describe('Redis emptied in the middle of a round', () => {
    const flush = async () => {
      await rig.redis.client.flushall()
    }

    for (const when of ['beforeRead', 'onBatch', 'afterRead'] as const) {
      it(`is left without a watermark over what it lost (${when}), and is in line after the next`, async () => {
        await rig.manyDenied(500)
        await one.round()
        await rig.manyDenied(500)
        one.hooks[when] = flush
        await one.round()
        const after = { synced: await rig.syncedCount(), missing: await rig.missing() }
        one.hooks[when] = async () => {
          await Promise.resolve()
        }

        await one.round()

        expect(after).to.deep.equal({ synced: 0, missing: [] })
        expect(await rig.syncedCount()).to.equal(256)
        expect(await rig.missing()).to.deep.equal([])
        expect(await rig.redis.client.dbsize()).to.equal(1000 + 2 * 256)
      })
    }

    it('does not get a watermark when it was empty before, and held a denial in between', async () => {
      const sid = sidIn('0a')
      one.hooks.afterRead = async () => {
        // Acknowledged: in the journal, and in Redis.
        await rig.store.deny(sid, 3_600_000)
        await rig.redis.client.set(denialKey(sid), '1')
        await flush()
      }

      await one.round()

      expect(await rig.isInRedis(sid)).to.equal(false)
      expect(await rig.syncedCount()).to.equal(0)
    })
  })

  describe('two at once', () => {
    it('never leave a watermark over a hole, and are in line when they are done', async () => {
      const two = rig.relaying()
      const found: string[] = []
      for (let i = 0; i < 8; i += 1) {
        await rig.manyDenied(300)
        const emptied = sleep(Math.random() * 40).then(async () => {
          if (i % 2 === 0) await rig.redis.client.flushall()
        })
        await Promise.all([
          one.round(),
          sleep(Math.random() * 20).then(async () => await two.round()),
          emptied,
        ])
        found.push(...(await rig.missing()))
      }
      await one.round()
      await two.round()

      expect(found).to.deep.equal([])
      expect(await rig.syncedCount()).to.equal(256)
      expect(await rig.redis.client.dbsize()).to.equal(2400 + 2 * 256)
    })
  })
})

async function outcomeOf(work: Promise<unknown>): Promise<'resolved' | 'rejected'> {
  return await work.then(
    () => 'resolved' as const,
    () => 'rejected' as const,
  )
}
