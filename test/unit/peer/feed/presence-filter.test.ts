// What stands before the map of denials: it may say "perhaps" of anything, "no" only of what is not there.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { MAX_CAPACITY, presenceFilter } from '../../../../src/peer/feed/presence-filter.ts'

describe('presenceFilter', () => {
  it('says of few absent ids that they may be there, and of every present one', () => {
    const filter = presenceFilter(4_096)
    const present = Array.from({ length: 4_096 }, () => uuidv7())
    for (const id of present) filter.add(id)

    expect(present.every((id) => filter.mayHold(id))).to.equal(true)
    const absent = Array.from({ length: 10_000 }, () => uuidv7())
    expect(absent.filter((id) => filter.mayHold(id)).length).to.be.within(500, 2_000)
  })

  it('says no again of what was removed, as often as it was added', () => {
    const filter = presenceFilter(512)
    filter.add('x')
    filter.add('x')

    filter.remove('x')
    const once = filter.mayHold('x')
    filter.remove('x')

    expect([once, filter.mayHold('x')]).to.deep.equal([true, false])
  })

  it('never says no again of a place that has lost count', () => {
    const filter = presenceFilter(512)
    for (let count = 0; count < 300; count++) filter.add('x')
    for (let count = 0; count < 255; count++) filter.remove('x')

    expect(filter.mayHold('x')).to.equal(true)
  })

  it('takes 16 MiB and no more', () => {
    expect(presenceFilter(MAX_CAPACITY * 8).capacity).to.equal(MAX_CAPACITY)
    expect(MAX_CAPACITY * 8).to.equal(16 * 1024 * 1024)
  })
})
