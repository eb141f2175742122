// The rebuild of the denylist beside a relay that is quicker than it.
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { denialKey, partitionOf, PARTITIONS, watermarkKey } from '../../../../src/contract/denylist-keys.ts'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import { rebuildDenylist } from '../../../../src/store/relay/rebuild-denylist.ts'
import { locks } from '../../../../src/store/postgres/locks.ts'
import {
  redisWatermarks,
  type Watermarks,
  type PartitionState,
} from '../../../../src/store/redis/watermarks.ts'
import { leaderLock } from '../../../../src/store/relay/leader-lock.ts'
import { relayer } from '../../../../src/store/relay/relay-round.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { postgresStoreSubject, type PostgresStoreSubject } from '../../../support/postgres-store-subject.ts'
import { testRedis, type TestRedis } from '../../../support/redis.ts'

const LEASE_MS = 5000

describe('rebuildDenylist', () => {
  let store: PostgresStoreSubject
  let redis: TestRedis
  let connection: RedisConnection

  beforeEach(async () => {
    store = await postgresStoreSubject()
    redis = await testRedis()
    connection = await connectedRedis(redis.url)
  })
  afterEach(async () => {
    connection.close()
    await Promise.all([store.close(), redis.remove()])
  })

  it('takes the watermark away with every key it removes, where a relay has brought that in sync meanwhile', async () => {
    const id = await denied()
    const afterRemoval: PartitionState[] = []
    const { partitions, relayed } = quickRelay((states) => {
      afterRemoval.push(...states)
    })

    await rebuild(partitions)

    expect(relayed()).to.equal(1)
    const state = afterRemoval.find(({ partition }) => partition === partitionOf(id))
    expect(state).to.include({ isSynced: false, position: '' })
    expect(await redis.client.exists(denialKey(id))).to.equal(1)
  })

  it('removes tens of thousands of keys in batches, whatever their partition', async () => {
    const strays = Array.from({ length: 20_000 }, () => denialKey(uuidv7()))
    await redis.client.mset(strays.flatMap((key) => [key, '1']))
    const id = await denied()

    const { removed, isByThisProcess } = await rebuild(redisWatermarks(connection))

    expect(removed).to.equal(strays.length)
    expect(isByThisProcess).to.equal(true)
    expect(await redis.client.exists(...strays)).to.equal(0)
    expect(await redis.client.exists(denialKey(id))).to.equal(1)
  })

  it('loses nothing when it is interrupted: a relay finishes it', async () => {
    const ids = [await denied(), await denied()]
    const partitions = redisWatermarks(connection)
    await relayRound(partitions)

    const interrupted = rebuild(partitions, () => {
      throw new Error('interrupted')
    })
    const failure = await interrupted.catch((error: unknown) => error)
    const left = await redis.client.exists(...ids.map(denialKey), ...PARTITIONS.map(watermarkKey))
    await relayRound(partitions)

    expect(failure).to.have.property('message', 'interrupted')
    expect(left).to.equal(0)
    expect(await redis.client.exists(...ids.map(denialKey), ...PARTITIONS.map(watermarkKey))).to.equal(258)
  })

  async function rebuild(partitions: Watermarks, onProgress: () => void = () => undefined) {
    return await rebuildDenylist({
      connection,
      partitions,
      journal: store.journal,
      lock: leaderLock(locks(store.postgres, randomUUID())),
      leaseMs: LEASE_MS,
      onProgress,
    })
  }

  /** One round of a service. */
  async function relayRound(partitions: Watermarks): Promise<void> {
    const journal = store.journal
    const states = await partitions.read()
    const { settledUpTo } = await journal.clock()
    const rounds = relayer({
      connection,
      partitions,
      journal,
      leaseMs: LEASE_MS,
      onRound: () => undefined,
      onFailure: () => undefined,
    })
    await rounds.round(states, settledUpTo)
  }

  /** Redis in which a relay has done all of its work between the reset and the first removal. */
  function quickRelay(onFirstRead: (states: PartitionState[]) => void) {
    const partitions = redisWatermarks(connection)
    let rounds = 0
    let reads = 0
    return {
      relayed: () => rounds,
      partitions: {
        ...partitions,
        read: async () => {
          const states = await partitions.read()
          if (reads++ === 0) onFirstRead(states)
          return states
        },
        reset: async () => {
          await partitions.reset()
          await relayRound(partitions)
          rounds += 1
        },
      },
    }
  }

  async function denied(): Promise<string> {
    const id = uuidv7()
    await store.database.sql(
      `INSERT INTO revocations (denied_id, partition, reason, expires_at)
       VALUES ($1, right($1, 2), 'logout', now() + interval '1 hour')`,
      [id],
    )
    return id
  }
})
