// The rebuild of the denylist, in both directions, alone and beside a relay that is quicker than it.
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { AuthError } from '../../../../src/auth/errors.ts'
import { systemClock } from '../../../../src/clock.ts'
import { denialKey, PARTITIONS, watermarkKey } from '../../../../src/contract/denylist-keys.ts'
import { instances } from '../../../../src/store/postgres/instances.ts'
import { journalMender, type JournalMender } from '../../../../src/store/postgres/journal-mender.ts'
import { locks } from '../../../../src/store/postgres/locks.ts'
import { ackKey } from '../../../../src/store/redis/instance-acks.ts'
import { parsePosition } from '../../../../src/store/redis/proof.ts'
import type { Watermarks } from '../../../../src/store/redis/watermarks.ts'
import { leaderLock } from '../../../../src/store/relay/leader-lock.ts'
import {
  rebuildDenylist,
  type RebuildDeps,
  type RebuildProgress,
} from '../../../../src/store/relay/rebuild-denylist.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'
import {
  RIG_ISSUER,
  RIG_LEASE_MS,
  relayRig,
  sidIn,
  type RelayRig,
} from '../../../support/stores/relay-rig.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

describe('rebuildDenylist', () => {
  let rig: RelayRig
  let told: RebuildProgress[]
  let mender: JournalMender

  before(async () => {
    rig = await relayRig()
  })
  after(async () => {
    await rig.close()
  })
  beforeEach(async () => {
    await rig.reset()
    await rig.store.database.sql('TRUNCATE locks, instances')
    told = []
    mender = journalMender(rig.store.postgres)
  })

  async function rebuild(over: Partial<RebuildDeps> = {}) {
    const instanceId = randomUUID()
    return await rebuildDenylist({
      clock: systemClock,
      connection: rig.connection,
      watermarks: rig.watermarks,
      journal: rig.store.journal,
      mender,
      instances: instances(rig.store.postgres, { id: instanceId, name: 'rebuild' }),
      instanceId,
      issuer: RIG_ISSUER,
      lock: leaderLock(locks(rig.store.postgres, instanceId), systemClock),
      leaseMs: RIG_LEASE_MS,
      leewaySeconds: 5,
      onProgress: (progress) => told.push(progress),
      ...over,
    })
  }
  const journaled = async () =>
    (await rig.store.database.sql<{ id: string }>('SELECT denied_id AS id FROM revocations')).map(
      ({ id }) => id,
    )

  it('writes everything where no service runs, whatever Redis said before, and leaves the lock and the list', async () => {
    const sid = await rig.denied()
    await rig.age()
    await rig.relaying().round()
    await rig.redis.client.del(denialKey(sid))

    const { isByThisProcess, mended } = await rebuild()

    expect([isByThisProcess, mended]).to.deep.equal([true, 0])
    expect(await rig.isInRedis(sid)).to.equal(true)
    expect(await rig.syncedCount()).to.equal(256)
    expect(await rig.store.database.sql('SELECT 1 FROM locks WHERE expires_at > now()')).to.deep.equal([])
    expect(
      await rig.store.database.sql(`SELECT 1 FROM instances WHERE name = 'rebuild' AND left_at IS NULL`),
    ).to.deep.equal([])
  })

  it('brings partitions to where a service believes them, and goes on from there', async () => {
    const sid = await rig.denied()
    await rig.age()
    await rebuild()
    await rig.redis.client.del(denialKey(sid))

    const written = await rig.relaying().round()

    expect(written).to.equal(0)
  })

  it('journals what only Redis has, for what is left of it, and removes nothing', async () => {
    const [sid, foreign] = [sidIn('0a'), 'ab'.repeat(32)]
    const token = `${sidIn('0b')}:${randomUUID()}`
    const keys = [sid, foreign, token].map(denialKey)
    for (const key of keys) await rig.redis.client.set(key, '1', 'PX', HOUR_MS)

    const { mended } = await rebuild()

    expect(mended).to.equal(3)
    expect(await journaled()).to.have.members([sid, foreign, token])
    const [row] = (await rig.store.journal.readBatch(null, 1)).rows
    expect(row?.ttlMs).to.be.within(HOUR_MS - MINUTE_MS, HOUR_MS)
    expect(await rig.redis.client.exists(keys)).to.equal(3)
    expect(await rig.syncedCount()).to.equal(256)
  })

  it('journals nothing that is no denial, nor one without an end', async () => {
    await rig.relaying().round()
    const others = ['attempts:x', ackKey(randomUUID()), 'denylist:{00}:swept', 'denylist:{00}:announced']
    for (const key of others) await rig.redis.client.set(key, '1', 'PX', HOUR_MS)
    await rig.redis.client.set(denialKey(sidIn('0a')), '1')

    const { mended } = await rebuild()

    expect(mended).to.equal(0)
    expect(await journaled()).to.deep.equal([])
    expect(await rig.redis.client.exists(others)).to.equal(others.length)
  })

  it('journals thousands of denials, in batches, whatever their partition, and tells how far it is', async () => {
    const sids = Array.from({ length: 5000 }, () => uuidv7())
    const pipeline = rig.redis.client.pipeline()
    for (const sid of sids) pipeline.set(denialKey(sid), '1', 'PX', HOUR_MS)
    await pipeline.exec()

    const { mended } = await rebuild()

    expect(mended).to.equal(sids.length)
    expect(told[0]).to.have.property('doing', 'mending')
    expect(new Set(await journaled())).to.deep.equal(new Set(sids))
    expect(await rig.missing()).to.deep.equal([])
  })

  it('takes the watermarks away when all of Redis is journaled, and not before', async () => {
    await rig.relaying().round()
    await rig.redis.client.set(denialKey(sidIn('0a')), '1', 'PX', HOUR_MS)
    const synced: number[] = []
    mender = {
      mend: async (denials) => {
        synced.push(await rig.syncedCount())
        return await journalMender(rig.store.postgres).mend(denials)
      },
    }
    let afterReset = NaN
    const watermarks: Watermarks = {
      ...rig.watermarks,
      reset: async () => {
        await rig.watermarks.reset()
        afterReset = await rig.syncedCount()
      },
    }

    await rebuild({ watermarks })

    expect(new Set(synced)).to.deep.equal(new Set([256]))
    expect(afterReset).to.equal(0)
  })

  it('leaves Redis as it is when the journal cannot be read', async () => {
    await rig.relaying().round()
    const outcome = await refusalOf(
      rebuild({
        journal: {
          ...rig.store.journal,
          clock: async () => await Promise.reject(new AuthError('unavailable')),
        },
      }),
    )

    expect(outcome).to.equal('unavailable')
    expect(await rig.syncedCount()).to.equal(256)
  })

  it('is over as soon as a relay has written it all, which it does not do again', async () => {
    const sid = await rig.denied()
    const relay = rig.relaying()
    const watermarks: Watermarks = {
      ...rig.watermarks,
      reset: async () => {
        await rig.watermarks.reset()
        await relay.round()
      },
    }

    const { isByThisProcess } = await rebuild({ watermarks })

    expect(isByThisProcess).to.equal(false)
    expect(parsePosition(await rig.redis.client.get('denylist:{0a}:relayed'))?.instanceId).to.equal(
      relay.instanceId,
    )
    expect(await rig.isInRedis(sid)).to.equal(true)
  })

  it('loses nothing when it is interrupted: nobody believes Redis, until a relay has finished it', async () => {
    const sids = [await rig.denied(), await rig.denied()]
    await rig.age()
    await rig.relaying().round()
    await rig.redis.client.del(sids.map(denialKey))
    const interrupted: Watermarks = {
      ...rig.watermarks,
      step: async () => await Promise.reject(new Error('interrupted')),
    }

    const failure = await rebuild({ watermarks: interrupted }).catch((error: unknown) => error)
    const left = await rig.syncedCount()
    await rig.relaying().round()

    expect(failure).to.have.property('message', 'interrupted')
    expect(left).to.equal(0)
    expect(await rig.redis.client.exists(...sids.map(denialKey), ...PARTITIONS.map(watermarkKey))).to.equal(
      258,
    )
  })
})
