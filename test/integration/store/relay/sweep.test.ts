// The sweep, over a real journal and a real Redis: what is missing under a watermark is back, and somebody hears of it.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import { denialKey } from '../../../../src/contract/denylist-keys.ts'
import { OVERLAP_MS } from '../../../../src/store/postgres/journal-reader.ts'
import { sweep, type Repaired, type Sweep, type Swept } from '../../../../src/store/relay/sweep.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'
import { relayRig, type Relaying, type RelayRig } from '../../../support/stores/relay-rig.ts'

const HOUR_MS = 3_600_000
const INTERVAL_MS = 30_000

describe('sweep', () => {
  let rig: RelayRig
  let one: Relaying
  let sweeping: Sweep
  let repaired: Repaired[]
  let swept: Swept[]
  let isJournalAway: boolean

  before(async () => {
    rig = await relayRig()
  })
  after(async () => {
    await rig.close()
  })
  beforeEach(async () => {
    await rig.reset()
    one = rig.relaying()
    ;[repaired, swept, isJournalAway] = [[], [], false]
    sweeping = sweepOf(one)
  })

  function sweepOf({ clock, watermarks, own }: Relaying, leewaySeconds = 5): Sweep {
    return sweep({
      clock,
      watermarks,
      own,
      leewaySeconds,
      journal: {
        readBatch: async (after, limit) => {
          if (isJournalAway) throw new AuthError('unavailable')
          return await rig.store.journal.readBatch(after, limit)
        },
      },
      onRepaired: (found) => repaired.push(found),
      onSwept: (found) => swept.push(found),
    })
  }

  const step = async () => {
    const { nowMs, settledUpTo } = await rig.store.journal.clock()
    await sweeping.step({ nowMs, relayedUpTo: Math.floor(settledUpTo) })
  }
  const nextStep = async () => {
    await one.clock.advance(INTERVAL_MS)
    await step()
  }
  const lose = async (...sids: string[]) => {
    await rig.redis.client.del(sids.map(denialKey))
  }
  const counts = () => swept.map(({ checked, repaired: found, unchecked }) => [checked, found, unchecked])

  it('finds nothing where nothing is missing', async () => {
    await rig.denied()
    await rig.age()
    await one.round()

    await step()

    expect(repaired).to.deep.equal([])
    expect(counts()).to.deep.equal([[1, 0, 0]])
  })

  it('brings back a key that was deleted, for what is left of it, and tells of it with partition and age', async () => {
    const sid = await rig.denied()
    await rig.age()
    await one.round()
    await lose(sid)
    await one.round()
    const byTheRound = await rig.isInRedis(sid)

    await step()

    expect(byTheRound).to.equal(false)
    expect(await rig.redis.client.pttl(denialKey(sid))).to.be.within(HOUR_MS - 60_000, HOUR_MS)
    expect(repaired.map(({ partition, denials }) => ({ partition, denials }))).to.deep.equal([
      { partition: '0a', denials: 1 },
    ])
    expect(repaired[0]?.oldestAgeSeconds).to.be.within(3600, 3660)
    expect(counts()).to.deep.equal([[1, 1, 0]])
  })

  it('tells of each partition, with the age of the oldest that was missing there, and of nothing twice', async () => {
    const oldest = await rig.denied('0a')
    await rig.age()
    const sids = [oldest, await rig.denied('0a'), await rig.denied('0b')]
    await rig.denied('0b')
    await rig.age()
    await one.round()
    await lose(...sids)

    await step()
    await nextStep()

    const told = repaired.map(({ partition, denials, oldestAgeSeconds }) => ({
      partition,
      denials,
      hours: Math.floor(oldestAgeSeconds / 3600),
    }))
    expect(told).to.have.deep.members([
      { partition: '0a', denials: 2, hours: 2 },
      { partition: '0b', denials: 1, hours: 1 },
    ])
    expect(counts()).to.deep.equal([
      [4, 3, 0],
      [4, 0, 0],
    ])
    expect(await rig.missing()).to.deep.equal([])
  })

  it('brings back everything where all keys but the positions were evicted', async () => {
    await rig.manyDenied(300, 7200)
    await one.round()
    const keys = (await rig.redis.client.keys('denylist:*')).filter((key) => !/:(relayed|synced)$/.test(key))
    await rig.redis.client.del(keys)

    await step()

    expect(keys).to.have.length(300)
    expect(await rig.redis.client.exists(keys)).to.equal(300)
    expect(counts()).to.deep.equal([[300, 300, 0]])
  })

  it('leaves alone what the positions do not vouch for yet', async () => {
    const sid = await rig.denied()
    await rig.age()
    await one.round()
    await lose(sid)
    const [row] = (await rig.store.journal.readBatch(null, 1)).rows
    const createdAtMs = row?.createdAtMs ?? NaN
    const stepUpTo = async (relayedUpTo: number) => {
      await sweeping.step({ nowMs: createdAtMs + HOUR_MS, relayedUpTo })
      return await rig.isInRedis(sid)
    }

    const early = await stepUpTo(createdAtMs + OVERLAP_MS)
    await one.clock.advance(INTERVAL_MS)
    const late = await stepUpTo(createdAtMs + OVERLAP_MS + 1)

    expect([early, late]).to.deep.equal([false, true])
    expect(counts()).to.deep.equal([
      [0, 0, 0],
      [1, 1, 0],
    ])
  })

  it('leaves alone what is about to end: Redis may have ended it already', async () => {
    const sid = await rig.denied()
    await rig.age()
    await one.round()
    await lose(sid)
    sweeping = sweepOf(one, HOUR_MS / 1000)

    await step()

    expect(await rig.isInRedis(sid)).to.equal(false)
    expect(repaired).to.deep.equal([])
    expect(counts()).to.deep.equal([[0, 0, 0]])
  })

  describe('counts as unchecked, and writes nothing for,', () => {
    let sid: string

    beforeEach(async () => {
      sid = await rig.denied('0a')
      await rig.denied('0b')
      await rig.age()
      await one.round()
      await lose(sid)
    })
    afterEach(async () => {
      expect(await rig.isInRedis(sid)).to.equal(false)
      expect(repaired).to.deep.equal([])
    })

    it('a partition that another has brought further', async () => {
      const state = (await rig.watermarks.read()).find(({ partition }) => partition === '0a')
      if (!state?.position) throw new Error('no position')
      await rig.watermarks.step([{ partition: '0a', from: state.positionText, to: state.position }])

      await step()

      expect(counts()).to.deep.equal([[1, 0, 1]])
    })

    it('a partition that was emptied', async () => {
      await rig.redis.client.del('denylist:{0a}:relayed')

      await step()

      expect(counts()).to.deep.equal([[1, 0, 1]])
    })

    it('a partition that is being written anew, and has not come that far yet', async () => {
      await rig.manyDenied(5000, 7200)
      await rig.redis.client.flushall()
      one.hooks.onBatch = async () => {
        await one.clock.advance(1500)
      }
      await one.round()

      for (let i = 0; i < 3; i += 1) await step()

      expect(counts()).to.deep.equal([[0, 0, 5002]])
    })

    it('all of them, after the connection to Redis broke', async () => {
      one.lose()

      await step()

      expect(counts()).to.deep.equal([[0, 0, 2]])
    })
  })

  describe('goes round', () => {
    it('by batches, a step each, and from the beginning every thirty seconds', async () => {
      await rig.manyDenied(4100, 7200)
      await one.round()
      const ended: number[] = []
      for (let i = 0; i < 5; i += 1) {
        await step()
        ended.push(swept.length)
        await one.clock.advance(1000)
      }
      await one.clock.advance(INTERVAL_MS - 5001)
      await step()
      const early = swept.length
      await one.clock.advance(1)
      for (let i = 0; i < 3; i += 1) await step()

      expect(ended).to.deep.equal([0, 0, 1, 1, 1])
      expect([early, swept.length]).to.deep.equal([1, 2])
      expect(counts()).to.deep.equal([
        [4100, 0, 0],
        [4100, 0, 0],
      ])
      expect(swept.map(({ seconds }) => seconds)).to.deep.equal([2, 0])
    })

    it('one at a time: the next waits for the end of one that takes longer', async () => {
      await rig.manyDenied(2100, 7200)
      await one.round()
      await step()
      await one.clock.advance(2 * INTERVAL_MS)
      await step()
      const first = counts()
      await step()
      await step()

      expect(first).to.deep.equal([[2100, 0, 0]])
      expect(counts()).to.deep.equal([
        [2100, 0, 0],
        [2100, 0, 0],
      ])
    })

    it('no further than what is vouched for, however much comes after that', async () => {
      const sid = await rig.denied()
      await rig.age()
      await rig.manyDenied(4000)
      await one.round()
      await lose(sid)
      const relayedUpTo = Math.floor((await rig.store.journal.clock()).nowMs) - HOUR_MS / 2

      await sweeping.step({ nowMs: relayedUpTo, relayedUpTo })

      expect(await rig.isInRedis(sid)).to.equal(true)
      expect(counts()).to.deep.equal([[1, 1, 0]])
    })

    it('on from where it was when the journal could not be read', async () => {
      await rig.manyDenied(2100, 7200)
      await one.round()
      await step()
      isJournalAway = true
      const outcome = await refusalOf(step())
      isJournalAway = false

      await step()

      expect(outcome).to.equal('unavailable')
      expect(counts()).to.deep.equal([[2100, 0, 0]])
    })

    it('from the beginning when it was told to forget', async () => {
      await rig.manyDenied(2100, 7200)
      await one.round()
      await step()
      sweeping.forget()
      await step()
      const meanwhile = swept.length
      await nextStep()
      await step()

      expect(meanwhile).to.equal(0)
      expect(counts()).to.deep.equal([[2100, 0, 0]])
    })
  })
})
