// The partitions of the denylist: a step of one is all or nothing, and only from where it was seen to stand.
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { PARTITIONS } from '../../../../src/contract/denylist-keys.ts'
import {
  redisWatermarks,
  type Watermarks,
  type PartitionState,
} from '../../../../src/store/redis/watermarks.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import { untilConnected } from '../../../support/told.ts'
import { testRedis, type TestRedis } from '../../../support/redis.ts'

const HOUR_MS = 3_600_000
const [DENIED, OTHER] = ['s-1-0a', 's-2-0a']
const DENIALS = [{ id: DENIED, ttlMs: HOUR_MS }]

describe('redisWatermarks', () => {
  let redis: TestRedis
  let connection: RedisConnection
  let partitions: Watermarks

  beforeEach(async () => {
    redis = await testRedis()
    connection = await connectedRedis(redis.url)
    partitions = redisWatermarks(connection)
  })
  afterEach(async () => {
    connection.close()
    await redis.remove()
  })

  const stateOf = async (partition: string): Promise<PartitionState> => {
    const state = (await partitions.read()).find((one) => one.partition === partition)
    if (!state) throw new Error(`no partition ${partition}`)
    return state
  }
  const keys = async () => (await redis.client.keys('*')).sort()
  const nowMs = async () => (await stateOf('0a')).redisNowMs
  /** The first one, with a watermark of an hour. */
  const begin = async (): Promise<string> => {
    const syncedUntilMs = (await nowMs()) + HOUR_MS
    const position = await partitions.step({ partition: '0a', from: '', relayedUpTo: 1000, syncedUntilMs })
    return position ?? 'refused'
  }

  describe('read', () => {
    it('tells of every partition where nothing was relayed yet', async () => {
      const states = await partitions.read()

      expect(states.map(({ partition }) => partition)).to.deep.equal(PARTITIONS)
      for (const { position, relayedUpTo, isSynced, redisNowMs } of states) {
        expect({ position, relayedUpTo, isSynced }).to.deep.equal({
          position: '',
          relayedUpTo: 0,
          isSynced: false,
        })
        expect(redisNowMs).to.be.closeTo(Date.now(), 1000)
      }
    })

    it('tells each apart: relayed with and without a watermark, and not at all', async () => {
      const first = await begin()
      const second = await partitions.step({ partition: 'ff', from: '', relayedUpTo: 2000 })

      const [a, b, c] = await Promise.all(['0a', 'ff', '00'].map(stateOf))

      expect(a).to.include({ position: first, relayedUpTo: 1000, isSynced: true })
      expect(b).to.include({ position: second, relayedUpTo: 2000, isSynced: false })
      expect(c).to.include({ position: '', relayedUpTo: 0, isSynced: false })
    })

    it('rejects when Redis does not answer', async () => {
      await redis.signal('SIGKILL')

      expect(await outcomeOf(partitions.read())).to.equal('rejected')
    })
  })

  describe('step', () => {
    it('writes denials, position and watermark, each for as long as it is to stand', async () => {
      const syncedUntilMs = (await nowMs()) + 5000

      const position = await partitions.step({
        partition: '0a',
        from: '',
        relayedUpTo: 1000,
        denials: [...DENIALS, { id: `${OTHER}:token`, ttlMs: 60_000.25 }],
        syncedUntilMs,
      })

      expect(await keys()).to.deep.equal([
        'denylist:{0a}:relayed',
        'denylist:{0a}:s-1-0a',
        'denylist:{0a}:s-2-0a:token',
        'denylist:{0a}:synced',
      ])
      expect(await redis.client.get('denylist:{0a}:relayed')).to.equal(position)
      expect(await redis.client.ttl('denylist:{0a}:relayed')).to.equal(-1)
      expect(await redis.client.get('denylist:{0a}:synced')).to.equal('1000')
      expect(await redis.client.pexpiretime('denylist:{0a}:synced')).to.equal(syncedUntilMs)
      expect(await redis.client.pttl('denylist:{0a}:s-1-0a')).to.be.within(HOUR_MS - 2000, HOUR_MS)
      expect(await redis.client.pttl('denylist:{0a}:s-2-0a:token')).to.be.within(58_000, 60_001)
    })

    it('passes over denials whose time is over', async () => {
      const denials = [{ id: DENIED, ttlMs: 0.5 }, { id: 's-3-0a', ttlMs: -1 }, ...DENIALS]

      await partitions.step({ partition: '0a', from: '', relayedUpTo: 1000, denials })

      expect(await redis.client.pttl('denylist:{0a}:s-1-0a')).to.be.above(HOUR_MS - 2000)
      expect(await keys()).to.deep.equal(['denylist:{0a}:relayed', 'denylist:{0a}:s-1-0a'])
    })

    it('leads on from one to the next, and leaves a watermark that it does not set', async () => {
      const first = await begin()

      const second = await partitions.step({ partition: '0a', from: first, relayedUpTo: 2000 })

      expect(second).to.be.a('string').and.not.equal(first)
      expect(await stateOf('0a')).to.include({ position: second, relayedUpTo: 2000, isSynced: true })
      expect(await redis.client.get('denylist:{0a}:synced')).to.equal('1000')
    })

    it('leads to another position each time, also in other processes and to the same time', async () => {
      const other = redisWatermarks(connection)
      const positions = new Set<string | null>()
      for (let i = 0; i < 50; i += 1) {
        const { position } = await stateOf('0a')
        const by = i % 2 === 0 ? partitions : other
        positions.add(await by.step({ partition: '0a', from: position, relayedUpTo: 1000 }))
      }

      expect(positions.size).to.equal(50)
      expect(positions).not.to.include(null)
    })

    it('sets no watermark that peers could see when its time is over by the clock of Redis', async () => {
      const syncedUntilMs = (await nowMs()) - 1

      const position = await partitions.step({ partition: '0a', from: '', relayedUpTo: 1000, syncedUntilMs })

      expect(await stateOf('0a')).to.include({ position, relayedUpTo: 1000, isSynced: false })
      expect(await redis.client.exists('denylist:{0a}:synced')).to.equal(0)
    })

    it('takes a watermark away whose time was shortened to what is over', async () => {
      const from = await begin()
      const syncedUntilMs = (await nowMs()) - 1

      await partitions.step({ partition: '0a', from, relayedUpTo: 1000, syncedUntilMs })

      expect(await redis.client.exists('denylist:{0a}:synced')).to.equal(0)
    })

    it('lets one of twenty that start from the same place win', async () => {
      const from = await begin()

      const positions = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const denials = [{ id: `s-${i}-0a`, ttlMs: HOUR_MS }]
          return await redisWatermarks(connection).step({ partition: '0a', from, relayedUpTo: 2000, denials })
        }),
      )

      expect(positions.filter((position) => position !== null)).to.have.length(1)
      expect(await redis.client.keys('denylist:{0a}:s-*')).to.have.length(1)
    })
  })

  describe('a step that is refused', () => {
    const step = async (from: string) =>
      await partitions.step({
        partition: '0a',
        from,
        relayedUpTo: 9000,
        denials: DENIALS,
        syncedUntilMs: (await nowMs()) + HOUR_MS,
      })

    it('writes nothing where another was there meanwhile', async () => {
      const from = await begin()
      const moved = await redisWatermarks(connection).step({ partition: '0a', from, relayedUpTo: 1500 })

      const position = await step(from)

      expect(position).to.equal(null)
      expect(await stateOf('0a')).to.include({ position: moved, relayedUpTo: 1500 })
      expect(await redis.client.get('denylist:{0a}:synced')).to.equal('1000')
      expect(await redis.client.exists('denylist:{0a}:s-1-0a')).to.equal(0)
    })

    it('writes nothing where Redis was emptied meanwhile', async () => {
      const from = await begin()
      await redis.client.flushall()

      const position = await step(from)

      expect(position).to.equal(null)
      expect(await keys()).to.deep.equal([])
    })

    it('writes nothing where nothing was seen and something was relayed since', async () => {
      const moved = await begin()

      const position = await step('')

      expect(position).to.equal(null)
      expect(await stateOf('0a')).to.include({ position: moved })
    })

    it('writes nothing where Redis was put back to what it held before', async () => {
      const early = await begin()
      const [, directory = ''] = await redis.client.config('GET', 'dir')
      const [kept, file] = [join(directory, 'kept'), join(directory, 'appendonlydir')]
      await cp(file, kept, { recursive: true })
      const late = await partitions.step({ partition: '0a', from: early, relayedUpTo: 2000 })
      await redis.signal('SIGKILL')
      await rm(file, { recursive: true })
      await cp(kept, file, { recursive: true })
      await redis.start()
      await untilConnected(connection)

      const position = await step(late ?? '')

      expect(late).not.to.equal(null)
      expect(position).to.equal(null)
      expect(await stateOf('0a')).to.include({ position: early, relayedUpTo: 1000 })
      expect(await redis.client.exists('denylist:{0a}:s-1-0a')).to.equal(0)
    })

    it('rejects and changes nothing where Redis is out of memory', async () => {
      const from = await begin()
      const before = await keys()
      await redis.client.config('SET', 'maxmemory', '1')

      const outcomes = [
        await outcomeOf(step(from)),
        await outcomeOf(partitions.step({ partition: '0a', from, relayedUpTo: 2000 })),
      ]

      expect(outcomes).to.deep.equal(['rejected', 'rejected'])
      expect(await keys()).to.deep.equal(before)
      expect(await stateOf('0a')).to.include({ position: from, relayedUpTo: 1000 })
      expect(await redis.client.get('denylist:{0a}:synced')).to.equal('1000')
    })
  })

  describe('reset', () => {
    it('forgets every position and watermark, and leaves the denials', async () => {
      const from = await begin()
      await partitions.step({ partition: '0a', from, relayedUpTo: 2000, denials: DENIALS })
      await partitions.step({ partition: 'ff', from: '', relayedUpTo: 2000 })

      await partitions.reset()

      expect(await keys()).to.deep.equal(['denylist:{0a}:s-1-0a'])
    })
  })
})

async function outcomeOf(work: Promise<unknown>): Promise<'resolved' | 'rejected'> {
  return await work.then(
    () => 'resolved' as const,
    () => 'rejected' as const,
  )
}
