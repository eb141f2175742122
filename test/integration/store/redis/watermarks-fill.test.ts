// What is missing in the partitions is found and written; and in how many calls all of them are asked.
import { expect } from 'chai'
import { PARTITIONS } from '../../../../src/contract/denylist-keys.ts'
import type { ScriptCall } from '../../../../src/store/redis/redis-commands.ts'
import type { Fill, Watermarks } from '../../../../src/store/redis/watermarks.ts'
import type { TestRedis } from '../../../support/servers/redis.ts'
import {
  outcomeOf,
  positionAt,
  watermarksRig,
  type WatermarksRig,
} from '../../../support/stores/watermarks-rig.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

describe('redisWatermarks', () => {
  let rig: WatermarksRig
  let redis: TestRedis
  let watermarks: Watermarks

  beforeEach(async () => {
    rig = await watermarksRig()
    ;({ redis, watermarks } = rig)
  })
  afterEach(async () => {
    await rig.close()
  })

  /** The first one. */
  const begin = async (): Promise<string> =>
    (await rig.step({ partition: '0a', from: '', to: positionAt(1000) })) ?? 'refused'

  describe('fill', () => {
    const denials = ['s-0-0a', 's-1-0a', 's-2-0a'].map((id) => ({ id, ttlMs: HOUR_MS }))
    const fill = (over: Partial<Fill>): Fill => ({ partition: '0a', position: '', denials, ...over })

    it('writes what is missing, says which it was, and leaves the rest as it is', async () => {
      const position = (await rig.step({ partition: '0a', from: '', to: positionAt(1000), denials })) ?? ''
      await redis.client.del('denylist:{0a}:s-0-0a', 'denylist:{0a}:s-2-0a')
      await redis.client.pexpire('denylist:{0a}:s-1-0a', 2 * HOUR_MS)

      const filled = await watermarks.fill([fill({ position })])

      expect(filled).to.deep.equal(new Map([['0a', [0, 2]]]))
      expect(await redis.client.pttl('denylist:{0a}:s-0-0a')).to.be.within(HOUR_MS - MINUTE_MS, HOUR_MS)
      expect(await redis.client.pttl('denylist:{0a}:s-1-0a')).to.be.above(HOUR_MS + MINUTE_MS)
      expect(await redis.client.get('denylist:{0a}:relayed')).to.equal(position)
    })

    it('finds nothing where nothing is missing', async () => {
      const position = (await rig.step({ partition: '0a', from: '', to: positionAt(1000), denials })) ?? ''

      expect(await watermarks.fill([fill({ position })])).to.deep.equal(new Map([['0a', []]]))
    })

    it('writes nothing where the partition stands elsewhere', async () => {
      const early = await begin()
      await rig.step({ partition: '0a', from: early, to: positionAt(1000) })

      const filled = await watermarks.fill([
        fill({ position: early }),
        fill({ partition: '0b', position: early }),
      ])

      expect(filled).to.deep.equal(new Map())
      expect(await redis.client.keys('denylist:{0a}:s-*')).to.be.empty
    })

    it('looks at many partitions in one call, and tells them apart', async () => {
      const inPartition = (hh: string) => [0, 1, 2].map((i) => ({ id: `s-${i}-${hh}`, ttlMs: HOUR_MS }))
      const { reached } = await watermarks.step(
        PARTITIONS.map((partition) => ({
          partition,
          from: '',
          to: positionAt(1),
          denials: inPartition(partition),
        })),
      )
      await redis.client.del('denylist:{00}:s-1-00', 'denylist:{ff}:s-0-ff', 'denylist:{ff}:s-2-ff')
      await rig.step({ partition: '80', from: reached.get('80') ?? '', to: positionAt(2) })
      rig.calls.length = 0

      const filled = await watermarks.fill(
        PARTITIONS.map((partition) => ({
          partition,
          position: reached.get(partition) ?? '',
          denials: inPartition(partition),
        })),
      )

      expect(rig.calls).to.have.length(1)
      const missing = [...filled].filter(([, places]) => places.length > 0)
      expect(missing).to.deep.equal([
        ['00', [1]],
        ['ff', [0, 2]],
      ])
      expect([filled.size, filled.has('80')]).to.deep.equal([255, false])
    })

    it('fails when Redis is out of memory', async () => {
      const position = await begin()
      await redis.client.config('SET', 'maxmemory', '1')

      expect(await outcomeOf(watermarks.fill([fill({ position })]))).to.equal('rejected')
      expect(await redis.client.keys('denylist:{0a}:s-*')).to.be.empty
    })
  })

  describe('where no call may touch two partitions', () => {
    beforeEach(() => {
      watermarks = rig.opened('nonce-', false)
    })

    it('makes one call a partition, whatever it is to do', async () => {
      const { reached } = await watermarks.step(
        PARTITIONS.map((partition) => ({ partition, from: '', to: positionAt(1) })),
      )
      await watermarks.read()
      await watermarks.fill(
        PARTITIONS.map((partition) => ({ partition, position: reached.get(partition) ?? '', denials: [] })),
      )
      await watermarks.reset()

      expect(rig.calls).to.have.length(4 * 256)
      for (const call of rig.calls) expect(partitionsOf(call).size).to.equal(1)
    })

    describe('and some of them do not answer', () => {
      const away = ['00', '0a', 'ff']
      const others = PARTITIONS.filter((partition) => !away.includes(partition))

      beforeEach(() => {
        rig.isAway = (call) => away.some((partition) => partitionsOf(call).has(partition))
      })

      it('reads, steps and fills the others', async () => {
        const steps = PARTITIONS.map((partition) => ({ partition, from: '', to: positionAt(1) }))
        const { reached, failure } = await watermarks.step(steps)
        const states = await watermarks.read()
        const filled = await watermarks.fill(
          PARTITIONS.map((partition) => ({ partition, position: reached.get(partition) ?? '', denials: [] })),
        )

        expect([...reached.keys()]).to.deep.equal(others)
        expect(failure).to.be.an('error')
        expect(states.map(({ partition }) => partition)).to.deep.equal(others)
        expect([...filled.keys()]).to.deep.equal(others)
      })

      it('rejects where none is left', async () => {
        rig.isAway = () => true

        const fill = { partition: '0a', position: '', denials: [] }
        expect(await outcomeOf(watermarks.read())).to.equal('rejected')
        expect(await outcomeOf(watermarks.fill([fill]))).to.equal('rejected')
        expect((await watermarks.step([{ partition: '0a', from: '', to: positionAt(1) }])).failure).to.be.an(
          'error',
        )
      })
    })
  })
})

function partitionsOf({ keys }: ScriptCall): Set<string> {
  return new Set(keys.map((key) => /\{(..)\}/.exec(key)?.[1] ?? key))
}
