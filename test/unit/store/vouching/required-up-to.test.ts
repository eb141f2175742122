// Which watermarks an instance can believe, by what it denied and may not have written.
import { expect } from 'chai'
import {
  ANNOUNCED_ONLY_MS,
  requiredUpTo,
  type RequiredUpTo,
} from '../../../../src/store/vouching/required-up-to.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'

const EPOCH_MS = 1_800_000_000_000
/** For clocks that do not run at quite the same speed. */
const MARGIN_MS = 1000

describe('requiredUpTo', () => {
  let clock: FakeClock
  let required: RequiredUpTo

  beforeEach(() => {
    clock = fakeClock()
    required = requiredUpTo(clock)
  })

  /** As Postgres says it now. */
  const noteClock = () => {
    required.noteClock(EPOCH_MS + clock.steadyMs(), clock.steadyMs())
  }
  /** After the start of the test. */
  const found = () => ({
    requiredUpTo: required.requiredUpTo - EPOCH_MS,
    cleanAfter: required.cleanAfter - EPOCH_MS,
  })

  it('believes nothing before Postgres has said what time it is', () => {
    expect(required.requiredUpTo).to.equal(Infinity)
    expect(required.cleanAfter).to.equal(Infinity)
  })

  it('requires a watermark from after its own start: the process before it may have left something unwritten', async () => {
    noteClock()
    await clock.advance(5000)
    noteClock()

    expect(found()).to.deep.equal({ requiredUpTo: 0, cleanAfter: 0 })
  })

  it('requires no later one for denials that were written', async () => {
    noteClock()
    await clock.advance(5000)
    required.noteDenial()
    noteClock()

    expect(found()).to.deep.equal({ requiredUpTo: 0, cleanAfter: 0 })
  })

  it('requires one from after the last denial when that may not have been written', async () => {
    noteClock()
    await clock.advance(400)
    required.noteDenial()
    await clock.advance(300)

    required.raise()

    expect(found().requiredUpTo).to.equal(400 + MARGIN_MS)
  })

  it('is not clean before feeds have that from the journal, too: it was not announced', async () => {
    noteClock()
    await clock.advance(400)
    required.noteDenial()

    required.raise()

    expect(found().cleanAfter).to.equal(400 + MARGIN_MS + ANNOUNCED_ONLY_MS)
  })

  it('requires no later one for a loss when it has denied nothing, and has announced everything', async () => {
    noteClock()
    await clock.advance(400)

    required.raise()
    noteClock()

    expect(found()).to.deep.equal({ requiredUpTo: 0, cleanAfter: 0 })
  })

  it('requires what Postgres says next, when this process stood still since', () => {
    noteClock()
    required.noteDenial()
    required.raise()
    required.noteClock(EPOCH_MS + 60_000, clock.steadyMs())

    expect(found().requiredUpTo).to.equal(60_000)
  })

  it('requires no more from then on, until the next loss', async () => {
    noteClock()
    required.noteDenial()
    required.raise()
    noteClock()
    await clock.advance(60_000)
    noteClock()

    expect(found().requiredUpTo).to.equal(MARGIN_MS)
  })

  it('never requires less than before, though the clock of Postgres is set back', async () => {
    noteClock()
    await clock.advance(1000)
    required.noteDenial()
    required.raise()
    required.noteClock(EPOCH_MS - 3_600_000, clock.steadyMs())

    required.raise()

    expect(found().requiredUpTo).to.equal(1000 + MARGIN_MS)
  })

  it('counts a denial from before Postgres has said anything', async () => {
    await clock.advance(100)
    required.noteDenial()
    required.raise()
    await clock.advance(100)

    noteClock()

    expect(found().requiredUpTo).to.equal(100 + MARGIN_MS)
  })
})
