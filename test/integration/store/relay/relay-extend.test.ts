// Watermarks that are kept without the journal: only where nothing has changed, and no longer than is known.
import { expect } from 'chai'
import { denialKey } from '../../../../src/contract/denylist-keys.ts'
import { AuthError } from '../../../../src/auth/errors.ts'
import { refusalOf } from '../../../support/refusal-of.ts'
import { RIG_LEASE_MS, relayRig, sidIn, type Relaying, type RelayRig } from '../../../support/relay-rig.ts'

describe('relayer without the journal', () => {
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

  /** Makes the watermarks stand for a second only, so that an extension can be told. */
  const shorten = async () => {
    for (const { partition } of await rig.partitions.read()) {
      await rig.redis.client.pexpire(`denylist:{${partition}}:synced`, 1000)
    }
  }
  const isExtended = async (partition?: string) => (await rig.syncedMsLeft(partition)) > 1000
  const unavailable = async (): Promise<never> => await Promise.reject(new AuthError('unavailable'))

  it('lets watermarks stand for the lease, less how long ago all was known to be there', async () => {
    await rig.denied()
    await one.round()
    const before = await rig.redis.client.get('denylist:{0a}:synced')
    await shorten()

    await one.extend(20_000)

    expect(await rig.syncedMsLeft()).to.be.within(RIG_LEASE_MS - 22_000, RIG_LEASE_MS - 20_000)
    expect(await rig.redis.client.get('denylist:{0a}:synced')).to.equal(before)
    expect(await rig.syncedCount()).to.equal(256)
  })

  it('does so again and again', async () => {
    await one.round()
    for (let i = 0; i < 3; i += 1) {
      await shorten()
      await one.extend(0)
    }

    expect(await isExtended()).to.equal(true)
  })

  it('shortens what stood for longer than is known', async () => {
    await one.round()

    await one.extend(50_000)

    expect(await rig.syncedMsLeft()).to.be.below(10_001)
  })

  it('does nothing when that is as long ago as the lease', async () => {
    await one.round()
    await shorten()

    await one.extend(RIG_LEASE_MS)

    expect(await isExtended()).to.equal(false)
    expect(await rig.syncedMsLeft()).to.be.above(0)
  })

  it('does nothing before its first round', async () => {
    await rig.relaying().round()
    await shorten()

    await one.extend(0)

    expect(await isExtended()).to.equal(false)
  })

  it('does nothing where another has relayed since, and the rest elsewhere', async () => {
    await one.round()
    await shorten()
    const state = (await rig.partitions.read()).find(({ partition }) => partition === '0a')
    await rig.partitions.step({ partition: '0a', from: state?.position ?? '', relayedUpTo: 1 })

    await one.extend(0)

    expect([await isExtended('0a'), await isExtended('0b')]).to.deep.equal([false, true])
  })

  it('brings no watermark back that has fallen', async () => {
    await one.round()
    await rig.redis.client.del('denylist:{0a}:synced')

    await one.extend(0)

    expect(await rig.syncedCount()).to.equal(255)
  })

  it('brings nothing back in a Redis that was emptied, before or after it was looked at', async () => {
    await one.round()
    const states = await rig.partitions.read()
    await rig.redis.client.flushall()

    await one.relayer.extend(states, 0)
    await one.extend(0)

    expect(await rig.redis.client.dbsize()).to.equal(0)
  })

  it('does nothing after what was written last may be gone, until the next round', async () => {
    await one.round()
    await shorten()
    one.relayer.forget()
    await one.extend(0)
    const before = await isExtended()

    await one.round()
    await shorten()
    await one.extend(0)

    expect(before).to.equal(false)
    expect(await isExtended()).to.equal(true)
  })

  for (const when of ['beforeRead', 'onBatch', 'afterRead'] as const) {
    it(`does nothing when that may have happened during the last round (${when})`, async () => {
      await rig.denied()
      one.hooks[when] = async () => {
        one.relayer.forget()
        await Promise.resolve()
      }
      await one.round()
      await shorten()

      await one.extend(0)

      expect(await isExtended()).to.equal(false)
    })
  }

  it('does nothing when that happened during the last extension', async () => {
    await one.round()
    const extending = one.relayer.extend(await rig.partitions.read(), 0)
    one.relayer.forget()
    await extending
    await shorten()

    await one.extend(0)

    expect(await isExtended()).to.equal(false)
  })

  describe('after a journal that failed in the middle of a round', () => {
    beforeEach(async () => {
      await rig.denied()
      await one.round()
      await rig.manyDenied(6000)
    })

    for (const when of ['beforeRead', 'onBatch', 'afterRead'] as const) {
      it(`extends what was brought in before, and what came in since (${when})`, async () => {
        const before = await rig.redis.client.get('denylist:{0a}:synced')
        one.hooks[when] = unavailable
        const outcome = await refusalOf(one.round())
        await shorten()

        await one.extend(0)

        expect(outcome).to.equal('unavailable')
        expect(await rig.syncedCount()).to.equal(256)
        expect(await isExtended()).to.equal(true)
        expect(Number(await rig.redis.client.get('denylist:{0a}:synced'))).to.be.at.least(Number(before))
        expect(await rig.missing()).to.deep.equal([])
      })
    }

    it('extends nothing when what was written last may be gone since that round began', async () => {
      one.hooks.onBatch = async () => {
        one.relayer.forget()
        return await unavailable()
      }
      await refusalOf(one.round())
      await shorten()

      await one.extend(0)

      expect(await isExtended()).to.equal(false)
    })

    it('extends nothing that was emptied in that round', async () => {
      one.hooks.beforeRead = async () => {
        await rig.redis.client.flushall()
        return await unavailable()
      }
      await refusalOf(one.round())

      await one.extend(0)

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

  it('extends nothing after a Redis that failed in the middle of a round', async () => {
    await one.round()
    await rig.denied()
    await rig.redis.client.config('SET', 'maxmemory', '1')
    const outcome = await one.round().then(
      () => 'resolved',
      () => 'rejected',
    )
    await rig.redis.client.config('SET', 'maxmemory', '0')
    const sid = sidIn('0a')
    await rig.store.deny(sid, 60_000)

    await shorten()
    await one.extend(0)

    expect(outcome).to.equal('rejected')
    expect(await rig.redis.client.exists(denialKey(sid))).to.equal(0)
    expect(await rig.missing()).to.deep.equal([])
  })
})
