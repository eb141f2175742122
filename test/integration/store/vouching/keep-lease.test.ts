// Watermarks that are kept without the journal: only where nothing has changed, and no longer than is known.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import { denialKey } from '../../../../src/contract/denylist-keys.ts'
import { parsePosition } from '../../../../src/store/redis/proof.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'
import {
  RIG_LEASE_MS,
  relayRig,
  sidIn,
  type Relaying,
  type RelayRig,
} from '../../../support/stores/relay-rig.ts'

const MINUTE_MS = 60_000
/** Watermarks that stand for no longer than that were not kept. */
const SHORT_MS = 10 * MINUTE_MS

describe('keepLease', () => {
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

  const shorten = async () => {
    await rig.shorten(SHORT_MS)
  }
  const isKept = async (partition?: string) => (await rig.syncedMsLeft(partition)) > SHORT_MS
  const unavailable = async (): Promise<never> => await Promise.reject(new AuthError('unavailable'))

  it('lets watermarks stand for the lease, less how long ago all was known to be there', async () => {
    await rig.denied()
    await one.round()
    const before = await rig.redis.client.get('denylist:{0a}:synced')
    await shorten()

    await one.keep(20 * MINUTE_MS)

    const leftMs = RIG_LEASE_MS - 20 * MINUTE_MS
    expect(await rig.syncedMsLeft()).to.be.within(leftMs - MINUTE_MS, leftMs)
    expect(await rig.redis.client.get('denylist:{0a}:synced')).to.equal(before)
    expect(await rig.syncedCount()).to.equal(256)
  })

  it('notes with the position that the watermark stands by the word of all instances, until the next round', async () => {
    const isByAcks = async () =>
      parsePosition(await rig.redis.client.get('denylist:{00}:relayed'))?.isByAcks ?? null
    await one.round()
    const noted = [await isByAcks()]

    await one.keep(0)
    noted.push(await isByAcks())
    await one.round()
    noted.push(await isByAcks())

    expect(noted).to.deep.equal([false, true, false])
  })

  it('does so again and again', async () => {
    await one.round()
    for (let i = 0; i < 3; i += 1) {
      await shorten()
      await one.keep(0)
    }

    expect(await isKept()).to.equal(true)
  })

  it('shortens what stood for longer than is known', async () => {
    await one.round()

    await one.keep(50 * MINUTE_MS)

    expect(await rig.syncedMsLeft()).to.be.within(1, 10 * MINUTE_MS)
  })

  it('does nothing when that is as long ago as the lease', async () => {
    await one.round()
    await shorten()

    await one.keep(RIG_LEASE_MS)

    expect(await isKept()).to.equal(false)
    expect(await rig.syncedMsLeft()).to.be.above(0)
  })

  it('does nothing before its first round', async () => {
    await rig.relaying().round()
    await shorten()

    await one.keep(0)

    expect(await isKept()).to.equal(false)
  })

  it('does nothing where another has relayed since, and the rest elsewhere', async () => {
    await one.round()
    await shorten()
    const state = (await rig.watermarks.read()).find(({ partition }) => partition === '0a')
    if (!state?.position) throw new Error('no position')
    await rig.watermarks.step([{ partition: '0a', from: state.positionText, to: state.position }])

    await one.keep(0)

    expect([await isKept('0a'), await isKept('0b')]).to.deep.equal([false, true])
  })

  it('brings no watermark back that has fallen', async () => {
    await one.round()
    await rig.redis.client.del('denylist:{0a}:synced')

    await one.keep(0)

    expect(await rig.syncedCount()).to.equal(255)
  })

  it('brings nothing back in a Redis that was emptied, before or after it was looked at', async () => {
    await one.round()
    const states = await rig.watermarks.read()
    await rig.redis.client.flushall()

    await one.keep(0, states)
    await one.keep(0)

    expect(await rig.redis.client.dbsize()).to.equal(0)
  })

  it('does nothing after what was written last may be gone, until the next round', async () => {
    await one.round()
    await shorten()
    one.lose()
    await one.keep(0)
    const before = await isKept()

    await one.round()
    await shorten()
    await one.keep(0)

    expect(before).to.equal(false)
    expect(await isKept()).to.equal(true)
  })

  it('does nothing when that may have happened while the last round set the watermarks', async () => {
    await one.round()
    one.hooks.afterStep = one.lose
    await one.round()
    await shorten()

    await one.keep(0)

    expect(await isKept()).to.equal(false)
  })

  it('does nothing when that happened while they were kept the last time', async () => {
    await one.round()
    one.hooks.afterStep = one.lose
    await one.keep(0)
    await shorten()

    await one.keep(0)

    expect(await isKept()).to.equal(false)
  })

  describe('after a journal that failed in the middle of a round', () => {
    beforeEach(async () => {
      await rig.denied()
      await one.round()
      await rig.manyDenied(6000)
    })

    for (const when of ['beforeRead', 'onBatch', 'afterRead'] as const) {
      it(`keeps what was brought in before, and what came in since (${when})`, async () => {
        const before = await rig.syncedUpTo()
        one.hooks[when] = unavailable
        const outcome = await refusalOf(one.round())
        await shorten()

        await one.keep(0)

        expect(outcome).to.equal('unavailable')
        expect(await rig.syncedCount()).to.equal(256)
        expect(await isKept()).to.equal(true)
        expect(await rig.syncedUpTo()).to.be.at.least(before)
        expect(await rig.missing()).to.deep.equal([])
      })
    }

    it('keeps nothing when what was written last may be gone since that round began', async () => {
      one.hooks.onBatch = async () => {
        one.lose()
        return await unavailable()
      }
      await refusalOf(one.round())
      await shorten()

      await one.keep(0)

      expect(await isKept()).to.equal(false)
    })

    it('keeps nothing that was emptied in that round', async () => {
      one.hooks.beforeRead = async () => {
        await rig.redis.client.flushall()
        return await unavailable()
      }
      await refusalOf(one.round())

      await one.keep(0)

      expect(await rig.syncedCount()).to.equal(0)
    })

    it('carries the rest when it is back', async () => {
      let batches = 0
      one.hooks.onBatch = async () => {
        batches += 1
        if (batches === 2) await unavailable()
      }
      await refusalOf(one.round())

      const written = await one.round()

      expect(written).to.be.within(6000, 6001)
      expect(await rig.missing()).to.deep.equal([])
    })
  })

  it('keeps nothing over a hole after a Redis that failed in the middle of a round', async () => {
    await one.round()
    await rig.denied()
    await rig.redis.client.config('SET', 'maxmemory', '1')
    const outcome = await one.round().then(
      () => 'resolved',
      () => 'rejected',
    )
    await rig.redis.client.config('SET', 'maxmemory', '0')
    const sid = sidIn('0a')
    await rig.store.deny(sid, 3_600_000)

    await shorten()
    await one.keep(0)

    expect(outcome).to.equal('rejected')
    expect(await rig.redis.client.exists(denialKey(sid))).to.equal(0)
    expect(await rig.missing()).to.deep.equal([])
  })
})
