// What every counter of attempts must keep.
import { expect } from 'chai'
import type { AttemptCounters, AttemptWindow } from '../../src/auth/ports/attempts.ts'

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

    it('tells what is counted without counting, and nothing where there is nothing', async () => {
      await counts(LONG, ['a', 'a'])

      const [some, again, none] = [
        await attempts.peek(LONG, 'a'),
        await attempts.peek(LONG, 'a'),
        await attempts.peek(SHORT, 'a'),
      ]

      expect([some.count, again.count]).to.deep.equal([2, 2])
      expect(some.resetMs).to.be.within(57_000, 60_000)
      expect(none).to.deep.equal({ count: 0, resetMs: 0 })
    })

    it('tells of nothing when the window has ended', async () => {
      await counts(SHORT, ['a', 'a'])

      await subject.elapse(1.1)

      expect(await attempts.peek(SHORT, 'a')).to.deep.equal({ count: 0, resetMs: 0 })
    })

    it('keeps the length that a window began with', async () => {
      await attempts.count({ name: 'wait', seconds: 1 }, 'a')

      const longer = await attempts.count({ name: 'wait', seconds: 900 }, 'a')

      expect(longer.count).to.equal(2)
      expect(longer.resetMs).to.be.within(500, 1000)
    })

    it('forgets a key that is cleared, in that window alone', async () => {
      await counts(LONG, ['a', 'a', 'b'])
      await attempts.count(SHORT, 'a')

      await attempts.clear(LONG, 'a')

      expect((await attempts.peek(LONG, 'a')).count).to.equal(0)
      expect(await counts(LONG, ['a', 'b'])).to.deep.equal([1, 2])
      expect(await counts(SHORT, ['a'])).to.deep.equal([2])
    })

    it('takes keys of any length and any characters', async () => {
      const keys = ['', ' ', 'é\0\r\n*{}', '\u{1f512}', 'x'.repeat(100_000)]

      expect(await counts(LONG, keys)).to.deep.equal([1, 1, 1, 1, 1])
      expect(await counts(LONG, keys)).to.deep.equal([2, 2, 2, 2, 2])
    })
  })
}
