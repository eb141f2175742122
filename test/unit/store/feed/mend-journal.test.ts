// What an instance has in memory is looked for in the journal: at once when another server answers, else round and round.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import { heldDenials, type HeldDenials } from '../../../../src/store/feed/held-denials.ts'
import { mendJournal, type MendJournal } from '../../../../src/store/feed/mend-journal.ts'
import type { HeardDenial } from '../../../../src/store/postgres/journal-mender.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'

const HOUR_MS = 3_600_000
const SETTLED_AFTER_MS = 2000
const BATCH_SIZE = 1000

describe('mendJournal', () => {
  let clock: FakeClock
  let fed: HeldDenials
  let foreign: HeldDenials
  let mending: MendJournal
  /** Ids of each batch that was asked about, oldest first. */
  let asked: string[][]
  let ttls: Map<string, number>
  /** Ids that the journal lacks. */
  let lost: Set<string>
  let told: (readonly string[])[]
  /** What the next batches meet, in turn. */
  let failures: (Error | null)[]

  beforeEach(() => {
    clock = fakeClock()
    ;[fed, foreign] = [heldDenials(), heldDenials()]
    ;[asked, told, failures] = [[], [], []]
    ttls = new Map()
    lost = new Set()
    mending = mendJournal({
      clock,
      held: [fed, foreign],
      mender: { mend },
      onMended: (ids) => told.push(ids),
    })
  })

  const mend = async (denials: readonly HeardDenial[]): Promise<string[]> => {
    await Promise.resolve()
    const failure = failures.shift()
    if (failure) throw failure
    asked.push(denials.map(({ id }) => id))
    for (const { id, ttlMs } of denials) ttls.set(id, ttlMs)
    const mended = denials.map(({ id }) => id).filter((id) => lost.has(id))
    for (const id of mended) lost.delete(id)
    return mended
  }
  interface Lasting {
    lastsMs?: number
    endsMs?: number
  }
  const hear = (held: HeldDenials, ids: string[], { lastsMs = HOUR_MS, endsMs = HOUR_MS }: Lasting = {}) => {
    const now = clock.steadyMs()
    const times = { heardAtMs: now, endsAtMs: now + endsMs, lastsUntilMs: now + lastsMs }
    for (const id of ids) held.add({ id, until: 0, createdAtMs: Infinity, isAcknowledged: true, ...times })
  }
  const named = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}-${i}`)
  const settle = async () => {
    await clock.advance(SETTLED_AFTER_MS)
  }
  const step = async (epoch = '1') => {
    asked = []
    await mending.step(epoch)
    return asked
  }

  describe('when another server answers', () => {
    it('looks for all that is held at once, however recent', async () => {
      const ids = named('a', 2 * BATCH_SIZE + 1)
      hear(fed, ids)
      hear(foreign, ['f'])

      const batches = await step()

      expect(batches.map((batch) => batch.length)).to.deep.equal([BATCH_SIZE, BATCH_SIZE, 1, 1])
      expect(batches.flat()).to.deep.equal([...ids, 'f'])
    })

    it('does so each time that it is another one', async () => {
      const ids = named('a', BATCH_SIZE + 1)
      hear(fed, ids)
      await step('1')
      await step('1')

      expect((await step('2')).flat()).to.deep.equal(ids)
      expect((await step('1')).flat()).to.deep.equal(ids)
    })

    it('tells what the journal lacked, and with how much time left it is journaled', async () => {
      hear(fed, ['a', 'b', 'c'], { lastsMs: 10_000 })
      lost = new Set(['b'])
      await clock.advance(4000)

      await step()

      expect(told).to.deep.equal([['b']])
      expect(ttls.get('b')).to.equal(6000)
    })

    it('begins with what is still held', async () => {
      hear(fed, ['gone'], { endsMs: 1000 })
      await clock.advance(1001)
      hear(fed, ['a'])
      fed.prune(clock.steadyMs())

      expect(await step()).to.deep.equal([['a']])
    })

    it('goes on where it was after a failure, and is done with all in one step as before', async () => {
      const ids = named('a', 4 * BATCH_SIZE)
      hear(fed, ids)
      hear(foreign, ['f'])
      failures = [null, new AuthError('unavailable')]

      const first = await step().catch(String)
      const before = asked.flat()
      const after = (await step()).flat()

      expect(first).to.match(/unavailable/)
      expect(before).to.deep.equal(ids.slice(0, BATCH_SIZE))
      expect(after).to.deep.equal([...ids.slice(BATCH_SIZE), 'f'])
    })

    it('begins anew when it is yet another one after a failure', async () => {
      const ids = named('a', 2 * BATCH_SIZE)
      hear(fed, ids)
      failures = [null, new AuthError('unavailable')]
      await step('1').catch(() => undefined)

      expect((await step('2')).flat()).to.deep.equal(ids)
    })

    it('takes what is heard of meanwhile for later', async () => {
      hear(fed, named('a', BATCH_SIZE))
      const running = step()
      hear(fed, named('b', 5))

      expect((await running).flat()).to.deep.equal(named('a', BATCH_SIZE))
    })

    it('goes on though some are let go of meanwhile', async () => {
      hear(fed, named('short', BATCH_SIZE + 10), { endsMs: 1000 })
      hear(fed, named('long', 5))
      const running = step()
      await clock.advance(1001)
      fed.prune(clock.steadyMs())

      expect((await running).flat()).to.include.members(named('long', 5))
    })

    it('comes to an end where nothing is held, or all of it is over', async () => {
      const empty = await step('1')
      hear(fed, named('a', 3 * BATCH_SIZE), { lastsMs: 1000 })
      await clock.advance(1000)

      expect(empty).to.deep.equal([])
      expect(await step('2')).to.deep.equal([])
    })
  })

  describe('as long as the same server answers', () => {
    beforeEach(async () => {
      await mending.step('1')
    })

    it('looks for a batch of each kind in a step, and begins anew after the last', async () => {
      const ids = named('a', BATCH_SIZE + 1)
      hear(fed, ids)
      hear(foreign, ['f'])
      await settle()

      const steps = [await step(), await step(), await step(), await step()].map((batches) => batches.flat())

      expect(steps[0]).to.deep.equal([...ids.slice(0, BATCH_SIZE), 'f'])
      expect(steps[1]).to.deep.equal(ids.slice(BATCH_SIZE))
      expect(steps[2]).to.deep.equal(['f'])
      expect(steps[3]).to.deep.equal(ids.slice(0, BATCH_SIZE))
    })

    it('finds what is lost later', async () => {
      hear(fed, ['a', 'b'])
      await settle()
      await step()
      lost = new Set(['a'])

      for (let i = 0; i < 2; i += 1) await step()

      expect(told).to.deep.equal([['a']])
    })

    it('leaves what was heard of just now to a later round, and goes on with the others', async () => {
      hear(fed, ['a'])
      await settle()
      hear(fed, ['b'])
      await clock.advance(SETTLED_AFTER_MS - 1)

      const steps = [await step(), await step(), await step()].map((batches) => batches.flat())
      await clock.advance(1)

      expect(steps).to.deep.equal([['a'], [], ['a']])
      expect((await step()).flat()).to.deep.equal(['b'])
    })

    it('waits for nothing where all was heard of just now', async () => {
      hear(fed, named('a', 3))

      expect([await step(), await step()]).to.deep.equal([[], []])
    })

    it('comes to what stands behind whole batches that are over', async () => {
      // The first one keeps the others from being let go of.
      hear(fed, ['long'])
      hear(fed, named('short', 3 * BATCH_SIZE), { lastsMs: 1000, endsMs: 1000 })
      hear(fed, ['last'])
      await settle()
      fed.prune(clock.steadyMs())

      const found: string[] = []
      for (let i = 0; i < 5; i += 1) found.push(...(await step()).flat())

      expect(found).to.deep.equal(['long', 'last'])
    })

    it('asks again for a batch that failed', async () => {
      hear(fed, ['a'])
      await settle()
      failures = [new AuthError('failed')]

      const failed = await step().catch(String)

      expect(failed).to.match(/failed/)
      expect(await step()).to.deep.equal([['a']])
    })
  })
})
