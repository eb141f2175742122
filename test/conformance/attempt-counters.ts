// What every counter of attempts must keep.
import { expect } from 'chai'
import type { AttemptCounters, AttemptWindow } from '../../src/auth/ports.ts'

export interface AttemptCountersSubject {
  /** With nothing counted. */
  attempts: AttemptCounters
  /** Lets that much time go by. */
  elapse(seconds: number): Promise<void>
  close(): Promise<void>
}

const LONG: AttemptWindow = { name: 'long', seconds: 60 }
const SHORT: AttemptWindow = { name: 'short', seconds: 1 }

export function attemptCountersConformance(
  name: string,
  create: () => Promise<AttemptCountersSubject>,
): void {
  describe(`${name} as AttemptCounters`, () => {
    let subject: AttemptCountersSubject
    let attempts: AttemptCounters

    beforeEach(async () => {
      subject = await create()
      attempts = subject.attempts
    })
    afterEach(async () => {
      await subject.close()
    })

    async function counts(window: AttemptWindow, keys: string[]): Promise<number[]> {
      const counted = await Promise.all(keys.map(async (key) => await attempts.count(window, key)))
      return counted.map(({ count }) => count)
    }

    it('counts from one upwards, each key and each window for itself', async () => {
      expect(await counts(LONG, ['a', 'a', 'b', 'a'])).to.deep.equal([1, 2, 1, 3])
      expect(await counts(SHORT, ['a'])).to.deep.equal([1])
    })

    it('gives each of many at the same time a number of its own', async () => {
      const all = await counts(LONG, Array<string>(200).fill('a'))

      expect(new Set(all).size).to.equal(200)
      expect(Math.max(...all)).to.equal(200)
    })

    it('says how long the window lasts, from its first attempt on', async () => {
      const first = await attempts.count(LONG, 'a')
      await subject.elapse(1)
      const second = await attempts.count(LONG, 'a')

      expect(first.resetMs).to.be.within(59_000, 60_000)
      expect(first.resetMs % 1).to.equal(0)
      expect(second.resetMs).to.be.within(57_000, 59_100)
    })

    it('begins again when the window has ended', async () => {
      await counts(SHORT, ['a', 'a'])

      await subject.elapse(1.1)

      expect(await counts(SHORT, ['a'])).to.deep.equal([1])
    })

    it('takes one back, and leaves the window as it is', async () => {
      await counts(LONG, ['a', 'a', 'a'])
      await subject.elapse(1)

      await attempts.uncount(LONG, 'a')

      const next = await attempts.count(LONG, 'a')
      expect(next.count).to.equal(3)
      expect(next.resetMs).to.be.below(59_100)
    })

    it('never counts less than nothing', async () => {
      await attempts.uncount(LONG, 'a')
      await counts(LONG, ['b'])
      await attempts.uncount(LONG, 'b')
      await attempts.uncount(LONG, 'b')

      expect(await counts(LONG, ['a', 'b'])).to.deep.equal([1, 1])
    })

    it('begins a new window once everything was taken back', async () => {
      await attempts.count(SHORT, 'a')
      await subject.elapse(0.6)
      await attempts.uncount(SHORT, 'a')

      expect((await attempts.count(SHORT, 'a')).resetMs).to.be.above(600)
    })

    it('forgets a key that is cleared, in that window alone', async () => {
      await counts(LONG, ['a', 'a', 'b'])
      await attempts.count(SHORT, 'a')

      await attempts.clear(LONG, 'a')

      expect(await counts(LONG, ['a', 'b'])).to.deep.equal([1, 2])
      expect(await counts(SHORT, ['a'])).to.deep.equal([2])
    })

    it('lets one of many pass, and tells the others how long to wait', async () => {
      const waits = await Promise.all(Array.from({ length: 50 }, async () => await attempts.pass('a', 5)))

      expect(waits.filter((wait) => wait === 0)).to.have.length(1)
      for (const wait of waits.filter((ms) => ms !== 0)) expect(wait).to.be.within(3000, 5000)
    })

    it('lets the next one pass when the wait is over, however many asked in between', async () => {
      await attempts.pass('a', 1)
      await attempts.pass('a', 900)
      await subject.elapse(1.1)

      expect(await attempts.pass('a', 2)).to.equal(0)
      expect(await attempts.pass('a', 2)).to.be.within(500, 2000)
      expect(await attempts.pass('b', 2)).to.equal(0)
    })

    it('takes keys of any length and any characters', async () => {
      const keys = ['', ' ', 'é\0\r\n*{}', '\u{1f512}', 'x'.repeat(100_000)]

      expect(await counts(LONG, keys)).to.deep.equal([1, 1, 1, 1, 1])
      expect(await counts(LONG, keys)).to.deep.equal([2, 2, 2, 2, 2])
    })
  })
}
