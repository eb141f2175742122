// A round of the relay, from a real journal to a real Redis: no watermark ever stands over a hole.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { Client } from 'pg'
import { denialKey } from '../../../../src/contract/denylist-keys.ts'
import { parsePosition, positionText } from '../../../../src/store/redis/proof.ts'
import { logEntry } from '../../../support/builders/account.ts'
import {
  RIG_LEASE_MS,
  relayRig,
  sidIn,
  type Relaying,
  type RelayRig,
} from '../../../support/stores/relay-rig.ts'

const MINUTE_MS = 60_000

describe('relayRound', () => {
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

  const journalNowMs = async () => Math.floor((await rig.store.journal.clock()).nowMs)

  describe('what it carries', () => {
    it('is the whole journal into an empty Redis, and every partition is marked', async () => {
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

    it('lasts for what is left of it', async () => {
      const sid = await rig.denied()

      await one.round()

      expect(await rig.redis.client.pttl(denialKey(sid))).to.be.within(3_600_000 - MINUTE_MS, 3_600_000)
    })

    it('may be several batches, of which it tells', async () => {
      await rig.manyDenied(10_100)

      await one.round()

      // The first batch is written while the second is read.
      expect(one.told.map(({ written, isOver }) => ({ written, isOver }))).to.deep.equal([
        { written: 0, isOver: false },
        { written: 0, isOver: false },
        { written: 5000, isOver: false },
        { written: 10_100, isOver: true },
      ])
      expect(await rig.missing()).to.deep.equal([])
    })

    it('is from then on what is new, and the overlap once more, whatever was written before', async () => {
      const clock = { settledUpTo: await journalNowMs() }
      await rig.manyDenied(100)
      await rig.manyDenied(100, 7200)
      const counts = [await one.round({ clock }), await one.round({ clock })]
      const sid = await rig.denied()

      counts.push(await one.round({ clock }), await one.round({ clock }))

      expect(counts).to.deep.equal([200, 100, 101, 101])
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('is written again where it was deleted since, within the overlap', async () => {
      const clock = { settledUpTo: await journalNowMs() }
      const sid = await rig.denied()
      await one.round({ clock })
      await rig.redis.client.del(denialKey(sid))

      await one.round({ clock })

      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('has what committed after the round that it belonged to', async () => {
      await one.round()
      const sid = sidIn('0a')
      await rig.store.database.sql(
        `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
         VALUES ($1, '0a', 'logout', now() - interval '9 seconds', now() + interval '1 hour')`,
        [sid],
      )

      const written = await one.round()

      expect(written).to.equal(1)
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('has what was written anew to hold for longer', async () => {
      const [id, expiresAt] = [`${'ab'.repeat(31)}0a`, Math.floor(Date.now() / 1000) + 600]
      await rig.store.journal.deny({ id, expiresAt }, logEntry('USER_LOGOUT'))
      await one.round()
      await rig.store.journal.deny({ id, expiresAt: expiresAt + 600 }, logEntry('USER_LOGOUT'))

      const written = await one.round()

      expect(written).to.equal(1)
      expect(await rig.redis.client.pttl(denialKey(id))).to.be.above(1_200_000 - MINUTE_MS)
    })
  })

  describe('the watermark', () => {
    it('says up to when the journal was settled, and stands for the lease from when Redis was read', async () => {
      const states = await rig.watermarks.read()
      const readAtMs = states.find(({ partition }) => partition === '0a')?.redisNowMs ?? 0
      await sleep(50)

      await one.round({ states, clock: { settledUpTo: 1_900_000_000_000.75 } })

      const journalName = await rig.journalName()
      expect(await rig.redis.client.get('denylist:{0a}:synced')).to.equal(
        `1900000000000 ${journalName} ${one.instanceId}`,
      )
      expect(await rig.redis.client.pexpiretime('denylist:{0a}:synced')).to.equal(readAtMs + RIG_LEASE_MS)
    })

    it('says nothing beyond where the oldest open writer began; what that commits comes with the next', async () => {
      const writer = new Client({ connectionString: rig.store.database.url })
      await writer.connect()
      const sid = sidIn('0a')
      await writer.query('BEGIN')
      const { rows } = await writer.query<{ beganMs: number }>(
        `INSERT INTO revocations (denied_id, partition, reason, expires_at)
         VALUES ($1, '0a', 'logout', now() + interval '1 hour')
         RETURNING (extract(epoch FROM created_at) * 1000)::float8 AS "beganMs"`,
        [sid],
      )
      await sleep(50)
      await one.round()
      const markedUpTo = await rig.syncedUpTo()
      await writer.query('COMMIT')
      await writer.end()

      const written = await one.round()

      expect(markedUpTo).to.equal(Math.floor(rows[0]?.beganMs ?? NaN))
      expect(written).to.equal(1)
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('does not appear when the round hung for longer than the lease', async () => {
      const states = (await rig.watermarks.read()).map((state) => ({
        ...state,
        redisNowMs: state.redisNowMs - RIG_LEASE_MS,
      }))

      await one.round({ states })

      expect(await rig.syncedCount()).to.equal(0)
    })

    it('does not appear while Redis takes no writes, and the round rejects', async () => {
      await rig.denied()
      await rig.redis.client.config('SET', 'maxmemory', '1')

      const outcome = await outcomeOf(one.round())

      expect(outcome).to.equal('rejected')
      expect(await rig.syncedCount()).to.equal(0)
    })

    it('is taken away, whoever set it, by a round that may not vouch, which brings in everything all the same', async () => {
      await rig.relaying().round()
      const sid = await rig.denied()

      await one.round({ mayVouch: false })

      expect(await rig.syncedCount()).to.equal(0)
      expect(await rig.isInRedis(sid)).to.equal(true)
    })
  })

  describe('a position that is not believed', () => {
    /** Denials that no believed position leads to, missing in Redis. */
    const lost = async (): Promise<string> => {
      const sid = await rig.denied()
      await rig.age()
      await one.round()
      await rig.redis.client.del(denialKey(sid))
      return sid
    }

    it('has everything written anew after Postgres has started anew, or another took its place', async () => {
      const sid = await lost()

      const same = await one.round()
      const another = await one.round({ clock: { serverEpoch: '2-00000002' } })

      expect([same, another]).to.deep.equal([0, 1])
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('has everything written anew where another journal was relayed', async () => {
      const sid = await lost()

      const written = await one.round({ clock: { databaseId: '00000000-0000-4000-8000-0000000000ff' } })

      expect(written).to.equal(1)
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('has everything written anew where an instance relayed that is not on the list', async () => {
      const sid = await lost()
      await rig.store.database.sql('DELETE FROM instances WHERE id = $1', [one.instanceId])

      const written = await rig.relaying().round()

      expect(written).to.equal(1)
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('has everything written anew after the clock of Redis went forward by more than the leeway', async () => {
      const sid = await lost()
      const position = parsePosition(await rig.redis.client.get('denylist:{0a}:relayed'))
      if (!position) throw new Error('no position')
      const before = { ...position, redisOffsetMs: position.redisOffsetMs - 2 * 3_600_000 }
      await rig.redis.client.set('denylist:{0a}:relayed', positionText(before))

      const written = await one.round()

      expect(written).to.equal(1)
      expect(await rig.isInRedis(sid)).to.equal(true)
    })

    it('has everything written anew after the clock of Postgres was set back', async () => {
      await one.round({ clock: { settledUpTo: (await journalNowMs()) + 3_600_000 } })
      const sid = await rig.denied()

      await one.round()

      expect(await rig.isInRedis(sid)).to.equal(true)
      expect(await rig.syncedUpTo()).to.be.closeTo(await journalNowMs(), MINUTE_MS)
    })

    it('is left behind at once, so that a Redis that is emptied meanwhile is seen', async () => {
      one.hooks.beforeRead = async () => {
        const { position } = (await rig.watermarks.read())[0] ?? { position: null }
        expect(position).to.include({ relayedUpTo: 0, instanceId: one.instanceId })
      }

      await one.round()

      expect(await rig.syncedCount()).to.equal(256)
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
      const journaledAgo = async (sid: string, ago: string) => {
        await rig.store.database.sql(
          'UPDATE revocations SET created_at = now() - $2::interval WHERE denied_id = $1',
          [sid, ago],
        )
      }
      await journaledAgo(early, '1 hour')
      await journaledAgo(late, '5 minutes')
      await one.round()
      const position = parsePosition(await rig.redis.client.get('denylist:{0a}:relayed'))
      if (!position) throw new Error('no position')
      const older = { ...position, relayedUpTo: position.relayedUpTo - 10 * MINUTE_MS, token: 'older' }
      await rig.redis.client.set('denylist:{0a}:relayed', positionText(older))
      await rig.redis.client.del(denialKey(late))

      const written = await one.round()

      expect(written).to.equal(1)
      expect(await rig.isInRedis(late)).to.equal(true)
    })

    it('that is far behind gets no further than its time allows, without a watermark, and the next goes on', async () => {
      await rig.manyDenied(5000, 7200)
      await rig.manyDenied(5000, 7100)
      one.hooks.onBatch = async () => {
        await one.clock.advance(1500)
      }
      const first = { written: await one.round(), synced: await rig.syncedCount() }
      delete one.hooks.onBatch

      await one.round()

      expect(first).to.deep.equal({ written: 5000, synced: 0 })
      expect(await rig.syncedCount()).to.equal(256)
      expect(await rig.missing()).to.deep.equal([])
      expect(await rig.redis.client.dbsize()).to.equal(10_000 + 2 * 256)
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
