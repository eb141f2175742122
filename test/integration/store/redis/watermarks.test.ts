// The partitions of the denylist: a step of one is all or nothing, and only from where it was seen to stand.
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { PARTITIONS } from '../../../../src/contract/denylist-keys.ts'
import { leastRelayed, type PartitionState, type Watermarks } from '../../../../src/store/redis/watermarks.ts'
import { parsePosition } from '../../../../src/store/redis/proof.ts'
import { eventually } from '../../../support/service/environment.ts'
import type { TestRedis } from '../../../support/servers/redis.ts'
import {
  outcomeOf,
  positionAt,
  RIG_NAMES,
  watermarksRig,
  type WatermarksRig,
} from '../../../support/stores/watermarks-rig.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const [DENIED, OTHER] = ['s-1-0a', 's-2-0a']
const DENIALS = [{ id: DENIED, ttlMs: HOUR_MS }]

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

  const stateOf = async (partition: string): Promise<PartitionState> => {
    const state = (await watermarks.read()).find((one) => one.partition === partition)
    if (!state) throw new Error(`no partition ${partition}`)
    return state
  }
  const keys = async () => (await redis.client.keys('*')).sort()
  const nowMs = async () => (await stateOf('0a')).redisNowMs
  const synced = async () => await redis.client.get('denylist:{0a}:synced')
  /** The first one, with a watermark of an hour. */
  const begin = async (): Promise<string> => {
    const watermarkUntilMs = (await nowMs()) + HOUR_MS
    const position = await rig.step({ partition: '0a', from: '', to: positionAt(1000), watermarkUntilMs })
    return position ?? 'refused'
  }
  const WATERMARK = `1000 ${RIG_NAMES.journalName} one`

  describe('read', () => {
    it('tells of every partition where nothing was relayed yet, in one call', async () => {
      const before = Date.now()
      const states = await watermarks.read()

      expect(states.map(({ partition }) => partition)).to.deep.equal(PARTITIONS)
      for (const { positionText, position, watermark, redisNowMs } of states) {
        expect({ positionText, position, watermark }).to.deep.equal({
          positionText: '',
          position: null,
          watermark: null,
        })
        expect(redisNowMs).to.be.within(before - 1, Date.now())
      }
      expect(rig.calls).to.have.length(1)
    })

    it('tells each apart: relayed with and without a watermark, and not at all', async () => {
      const first = await begin()
      const second = await rig.step({ partition: 'ff', from: '', to: positionAt(2000, { isByAcks: true }) })

      const [a, b, c] = await Promise.all(['0a', 'ff', '00'].map(stateOf))

      const { journalName, instanceId } = RIG_NAMES
      expect(a?.positionText).to.equal(first)
      expect(a?.position).to.include(positionAt(1000))
      expect(a?.watermark).to.deep.equal({ relayedUpTo: 1000, journalName, instanceId })
      expect(b?.positionText).to.equal(second)
      expect(b?.position).to.include(positionAt(2000, { isByAcks: true }))
      expect(b?.watermark).to.equal(null)
      expect(c).to.include({ positionText: '', position: null, watermark: null })
    })

    it('tells of a position of another form as it stands, so that a step can replace it', async () => {
      await redis.client.set('denylist:{0a}:relayed', '1000 of an earlier version')
      await redis.client.set('denylist:{0a}:synced', '1000')

      const { positionText, position, watermark } = await stateOf('0a')

      expect({ positionText, position, watermark }).to.deep.equal({
        positionText: '1000 of an earlier version',
        position: null,
        watermark: null,
      })
      expect(await rig.step({ partition: '0a', from: positionText, to: positionAt(1) })).to.be.a('string')
    })

    it('rejects when Redis does not answer', async () => {
      await redis.signal('SIGKILL')

      expect(await outcomeOf(watermarks.read())).to.equal('rejected')
    })
  })

  describe('step', () => {
    it('writes denials, position and watermark, each for as long as it is to stand', async () => {
      const watermarkUntilMs = (await nowMs()) + HOUR_MS

      const position = await rig.step({
        partition: '0a',
        from: '',
        to: positionAt(1000),
        denials: [...DENIALS, { id: `${OTHER}:token`, ttlMs: 600_000.25 }],
        watermarkUntilMs,
      })

      expect(await keys()).to.deep.equal([
        'denylist:{0a}:relayed',
        'denylist:{0a}:s-1-0a',
        'denylist:{0a}:s-2-0a:token',
        'denylist:{0a}:synced',
      ])
      expect(await redis.client.get('denylist:{0a}:relayed')).to.equal(position)
      expect(await redis.client.ttl('denylist:{0a}:relayed')).to.equal(-1)
      expect(await synced()).to.equal(WATERMARK)
      expect(await redis.client.pexpiretime('denylist:{0a}:synced')).to.equal(watermarkUntilMs)
      expect(await redis.client.pttl('denylist:{0a}:s-1-0a')).to.be.within(HOUR_MS - MINUTE_MS, HOUR_MS)
      expect(await redis.client.pttl('denylist:{0a}:s-2-0a:token')).to.be.within(540_000, 600_001)
    })

    it('passes over denials whose time is over', async () => {
      const denials = [{ id: DENIED, ttlMs: 0.5 }, { id: 's-3-0a', ttlMs: -1 }, ...DENIALS]

      await rig.step({ partition: '0a', from: '', to: positionAt(1000), denials })

      expect(await redis.client.pttl('denylist:{0a}:s-1-0a')).to.be.above(HOUR_MS - MINUTE_MS)
      expect(await keys()).to.deep.equal(['denylist:{0a}:relayed', 'denylist:{0a}:s-1-0a'])
    })

    it('leads on from one to the next, and leaves a watermark that it does not set', async () => {
      const first = await begin()

      const second = await rig.step({ partition: '0a', from: first, to: positionAt(2000) })

      expect(second).to.be.a('string').and.not.equal(first)
      expect((await stateOf('0a')).positionText).to.equal(second)
      expect(await synced()).to.equal(WATERMARK)
    })

    it('takes a watermark away that is to fall', async () => {
      const from = await begin()

      const position = await rig.step({
        partition: '0a',
        from,
        to: positionAt(2000),
        watermarkUntilMs: 'fallen',
      })

      expect(await redis.client.get('denylist:{0a}:relayed')).to.equal(position)
      expect(await synced()).to.equal(null)
    })

    it('leads to another position each time, also in other processes and to the same time', async () => {
      const other = rig.opened('other-')
      const positions = new Set<string | null>()
      for (let i = 0; i < 50; i += 1) {
        const { positionText } = await stateOf('0a')
        const by = i % 2 === 0 ? watermarks : other
        positions.add(await rig.step({ partition: '0a', from: positionText, to: positionAt(1000) }, by))
      }

      expect(positions.size).to.equal(50)
      expect(positions).not.to.include(null)
    })

    it('sets no watermark that peers could see when its time is over by the clock of Redis', async () => {
      const watermarkUntilMs = (await nowMs()) - 1

      const position = await rig.step({ partition: '0a', from: '', to: positionAt(1000), watermarkUntilMs })

      expect((await stateOf('0a')).positionText).to.equal(position)
      expect(await redis.client.exists('denylist:{0a}:synced')).to.equal(0)
    })

    it('takes a watermark away whose time was shortened to what is over', async () => {
      const from = await begin()
      const watermarkUntilMs = (await nowMs()) - 1

      await rig.step({ partition: '0a', from, to: positionAt(1000), watermarkUntilMs })

      expect(await redis.client.exists('denylist:{0a}:synced')).to.equal(0)
    })

    it('lets one of twenty that start from the same place win', async () => {
      const from = await begin()

      const positions = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const denials = [{ id: `s-${i}-0a`, ttlMs: HOUR_MS }]
          return await rig.step({ partition: '0a', from, to: positionAt(2000), denials }, rig.opened(`${i}-`))
        }),
      )

      expect(positions.filter((position) => position !== null)).to.have.length(1)
      expect(await redis.client.keys('denylist:{0a}:s-*')).to.have.length(1)
    })

    it('takes steps of all partitions in one call, each of them for itself', async () => {
      const moved = await begin()
      const watermarkUntilMs = (await nowMs()) + HOUR_MS
      rig.calls.length = 0

      const { reached, failure } = await watermarks.step(
        PARTITIONS.map((partition) => ({
          partition,
          from: '',
          to: positionAt(2000),
          denials: [{ id: `sid-${partition}`, ttlMs: HOUR_MS }],
          watermarkUntilMs,
        })),
      )

      expect(rig.calls).to.have.length(1)
      expect(failure).to.equal(null)
      expect([...reached.keys()]).to.deep.equal(PARTITIONS.filter((partition) => partition !== '0a'))
      const states = await watermarks.read()
      for (const { partition, positionText } of states)
        expect(positionText).to.equal(partition === '0a' ? moved : reached.get(partition))
      expect(await redis.client.exists(PARTITIONS.map((hh) => `denylist:{${hh}}:sid-${hh}`))).to.equal(255)
      expect(await redis.client.exists(PARTITIONS.map((hh) => `denylist:{${hh}}:synced`))).to.equal(256)
    })

    it('keeps Redis for no longer than a thousand denials or one partition take', async () => {
      const many = (count: number) =>
        Array.from({ length: count }, (_, i) => ({ id: `s-${i}-xx`, ttlMs: HOUR_MS }))
      const sizes = [600, 400, 1, 1500, 2]

      await watermarks.step(
        sizes.map((size, i) => ({ partition: `0${i}`, from: '', to: positionAt(1), denials: many(size) })),
      )

      const partitions = rig.calls.map(({ keys }) => keys.filter((key) => key.endsWith(':relayed')).length)
      expect(partitions).to.deep.equal([2, 1, 1, 1])
    })

    it('does nothing where there is nothing to do', async () => {
      expect(await watermarks.step([])).to.deep.equal({ reached: new Map(), failure: null })
      expect(rig.calls).to.be.empty
    })
  })

  describe('a step that is refused', () => {
    const step = async (from: string) =>
      await rig.step({
        partition: '0a',
        from,
        to: positionAt(9000),
        denials: DENIALS,
        watermarkUntilMs: (await nowMs()) + HOUR_MS,
      })

    it('writes nothing where another was there meanwhile', async () => {
      const from = await begin()
      const moved = await rig.step({ partition: '0a', from, to: positionAt(1500) }, rig.opened('other-'))

      const position = await step(from)

      expect(position).to.equal(null)
      expect((await stateOf('0a')).positionText).to.equal(moved)
      expect(await synced()).to.equal(WATERMARK)
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
      expect((await stateOf('0a')).positionText).to.equal(moved)
    })

    it('writes nothing where Redis was put back to what it held before', async () => {
      const early = await begin()
      const [, directory = ''] = await redis.client.config('GET', 'dir')
      const [kept, file] = [join(directory, 'kept'), join(directory, 'appendonlydir')]
      await cp(file, kept, { recursive: true })
      const late = await rig.step({ partition: '0a', from: early, to: positionAt(2000) })
      await redis.signal('SIGKILL')
      await rm(file, { recursive: true })
      await cp(kept, file, { recursive: true })
      await redis.start()
      await eventually(async () => await Promise.resolve(rig.connection.isReady), MINUTE_MS)

      const position = await step(late ?? '')

      expect(late).not.to.equal(null)
      expect(position).to.equal(null)
      expect((await stateOf('0a')).positionText).to.equal(early)
      expect(await redis.client.exists('denylist:{0a}:s-1-0a')).to.equal(0)
    })

    it('fails and changes nothing where Redis is out of memory', async () => {
      const from = await begin()
      const before = await keys()
      await redis.client.config('SET', 'maxmemory', '1')

      const outcomes = [
        await outcomeOf(step(from)),
        await outcomeOf(rig.step({ partition: '0a', from, to: positionAt(2000) })),
      ]

      expect(outcomes).to.deep.equal(['rejected', 'rejected'])
      expect(await keys()).to.deep.equal(before)
      expect((await stateOf('0a')).positionText).to.equal(from)
      expect(await synced()).to.equal(WATERMARK)
    })
  })

  describe('reset', () => {
    it('forgets every position and watermark, and leaves the denials', async () => {
      const from = await begin()
      await rig.step({ partition: '0a', from, to: positionAt(2000), denials: DENIALS })
      await rig.step({ partition: 'ff', from: '', to: positionAt(2000) })
      rig.calls.length = 0

      await watermarks.reset()

      expect(await keys()).to.deep.equal(['denylist:{0a}:s-1-0a'])
      expect(rig.calls).to.have.length(1)
    })
  })
})

describe('leastRelayed', () => {
  const state = (partition: string, relayedUpTo: number | null): PartitionState => ({
    partition,
    positionText: '',
    position: relayedUpTo === null ? null : parsePosition(`${relayedUpTo} name 1-1 one 0 token`),
    watermark: null,
    redisNowMs: 0,
  })

  it('is the earliest time of all, and 0 where one of them has none or is not there', () => {
    const two = ['00', '01']

    expect(leastRelayed([state('00', 2000), state('01', 1000)], two)).to.equal(1000)
    expect(leastRelayed([state('00', 2000), state('01', null)], two)).to.equal(0)
    expect(leastRelayed([state('00', 2000)], two)).to.equal(0)
  })
})
