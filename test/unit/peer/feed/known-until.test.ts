// Up to when a replica knows everything: by its own clocks, never too far, never backwards.
import { expect } from 'chai'
import { knownUntil, type KnownUntil } from '../../../../src/peer/feed/known-until.ts'
import type { Moment } from '../../../../src/peer/two-clocks.ts'

describe('knownUntil', () => {
  let now: Moment
  let reached: KnownUntil

  beforeEach(() => {
    now = { monotonicMs: 1_000_000, epochMs: 1_800_000_000_000 }
    reached = knownUntil(() => now)
  })

  const pass = (ms: number, byWall = ms) => {
    now = { monotonicMs: now.monotonicMs + ms, epochMs: now.epochMs + byWall }
  }
  /** Asks now, and is answered after `delayMs`, by an instance whose clock shows anything. */
  const openAfter = (delayMs: number, open: { now?: number; lease?: number; covers?: number } = {}) => {
    const askedAt = now
    pass(delayMs)
    reached.open(askedAt, { now: 50, lease: 5, covers: 300, ...open })
  }

  it('knows nothing before the first sync', () => {
    openAfter(10)

    expect(reached.isKnown()).to.equal(false)
    expect(reached.ageSeconds()).to.equal(null)
    expect(reached.coversSeconds).to.equal(null)
    expect(reached.isBeyondCover()).to.equal(false)
  })

  it('counts from when it asked, not from when it was answered', () => {
    openAfter(2_000)

    reached.sync({ as_of: 50 })

    expect(reached.ageSeconds()).to.equal(2)
  })

  it('is known for the lease, to the end, and not beyond', () => {
    openAfter(0)
    reached.sync({ as_of: 50 })

    pass(5_000)
    const atTheEnd = reached.isKnown()
    pass(1)

    expect(atTheEnd).to.equal(true)
    expect(reached.isKnown()).to.equal(false)
  })

  it('goes on by what passes on the clock of the instance', () => {
    openAfter(100)
    pass(3_000)

    reached.sync({ as_of: 50 + 2_500 })

    expect(reached.ageSeconds()).to.equal(0.6)
  })

  it('can begin before it asked, when the instance itself is behind', () => {
    openAfter(0)

    reached.sync({ as_of: 50 - 1_500 })

    expect(reached.ageSeconds()).to.equal(1.5)
  })

  it('never goes backwards, neither on a connection nor over a new one', () => {
    openAfter(0)
    pass(2_000)
    reached.sync({ as_of: 2_050 })
    reached.sync({ as_of: 1_000 })
    const onTheSame = reached.ageSeconds()

    openAfter(0, { now: 9_000 })
    reached.sync({ as_of: 8_000 })

    expect(onTheSame).to.equal(0)
    expect(reached.ageSeconds()).to.equal(0)
  })

  it('knows nothing of the future, whatever it is told', () => {
    openAfter(0)

    reached.sync({ as_of: 50 + 1_900 })
    pass(5_001)

    expect(reached.isKnown()).to.equal(false)
  })

  it('goes by the lease and the cover of the connection it was told over', () => {
    openAfter(0, { lease: 5, covers: 300 })
    reached.sync({ as_of: 50 })
    pass(6_000)

    openAfter(0, { lease: 60, covers: 900 })
    const before = { isKnown: reached.isKnown(), covers: reached.coversSeconds }
    reached.sync({ as_of: 50 })

    expect(before).to.deep.equal({ isKnown: false, covers: 300 })
    expect(reached.isKnown()).to.equal(true)
    expect(reached.coversSeconds).to.equal(900)
  })

  it('counts the time that the machine slept, when the monotonic clock stands still', () => {
    openAfter(0)
    reached.sync({ as_of: 50 })

    pass(10, 3_600_000)

    expect(reached.isKnown()).to.equal(false)
    expect(reached.isBeyondCover()).to.equal(true)
  })

  it('knows nothing where both clocks stood still, as those of a machine that was suspended from outside', () => {
    openAfter(0)
    reached.sync({ as_of: 50 })
    pass(1_000)

    expect(() => {
      reached.sync({ as_of: 50 + 61_000 })
    }).to.throw('stood still')
    const isKnown = reached.isKnown()
    openAfter(10)
    reached.sync({ as_of: 50 })

    expect(isKnown).to.equal(false)
    expect(reached.isKnown()).to.equal(true)
  })

  it('takes a sync after the machine slept, or its clock was set back', () => {
    openAfter(0)
    pass(0, 60_000)
    reached.sync({ as_of: 50 + 59_000 })
    const slept = reached.ageSeconds()

    openAfter(0)
    pass(60_000, 0)
    reached.sync({ as_of: 50 + 59_000 })

    expect([slept, reached.ageSeconds()]).to.deep.equal([1, 1])
  })

  it('does not grow younger when the wall clock is set back', () => {
    openAfter(0)
    reached.sync({ as_of: 50 })

    pass(6_000, -3_600_000)

    expect(reached.isKnown()).to.equal(false)
  })

  it('is beyond cover once a denial may have come and gone', () => {
    openAfter(0)
    reached.sync({ as_of: 50 })

    pass(300_000)
    const before = reached.isBeyondCover()
    pass(1)

    expect(before).to.equal(false)
    expect(reached.isBeyondCover()).to.equal(true)
  })

  it('knows nothing once that is lost, until the next sync', () => {
    openAfter(0)
    reached.sync({ as_of: 50 })

    reached.lose()
    const lost = reached.isKnown()
    reached.sync({ as_of: 50 })

    expect(lost).to.equal(false)
    expect(reached.isKnown()).to.equal(true)
  })

  it('refuses a sync before the connection has opened', () => {
    expect(() => {
      reached.sync({ as_of: 1 })
    }).to.throw('before it opened')
  })
})
