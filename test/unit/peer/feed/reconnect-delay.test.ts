// How long a reader of the feed stays away.
import { expect } from 'chai'
import fc from 'fast-check'
import { reconnectDelayMs } from '../../../../src/peer/feed/reconnect-delay.ts'

const after = (failures: number, changes: { isHopeless?: boolean; retryAfterMs?: number } = {}) =>
  [0, 1].map((random) =>
    reconnectDelayMs({ failures, isHopeless: false, retryAfterMs: 0, ...changes }, random),
  )

describe('reconnectDelayMs', () => {
  it('comes back at once, but not all at once, after a clean end', () => {
    expect(after(0)).to.deep.equal([0, 100])
  })

  it('doubles with each failure, up to five seconds', () => {
    expect([1, 2, 3].map((failures) => after(failures))).to.deep.equal([
      [100, 200],
      [200, 400],
      [400, 800],
    ])
    expect(after(6)).to.deep.equal([2_500, 5_000])
    expect(after(1e6)).to.deep.equal([2_500, 5_000])
  })

  it('tries rarely what only somebody can mend', () => {
    expect(after(1, { isHopeless: true })).to.deep.equal([15_000, 30_000])
  })

  it('stays away for as long as it is asked to, and half a minute at the most', () => {
    expect(after(1, { retryAfterMs: 2_000 })).to.deep.equal([2_000, 2_500])
    expect(after(1, { retryAfterMs: 1e9 })).to.deep.equal([30_000, 37_500])
  })

  it('never comes back sooner than it is asked to, nor sooner the more often it fails', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(30_000),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, retryAfterMs, random) => {
          const delay = (count: number) =>
            reconnectDelayMs({ failures: count, isHopeless: false, retryAfterMs }, random)

          expect(delay(failures)).to.be.at.least(retryAfterMs)
          expect(delay(failures + 1)).to.be.at.least(delay(failures))
        },
      ),
    )
  })
})
