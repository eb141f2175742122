import { expect } from 'chai'
import { paceOf } from '../../../src/store/pace.ts'

describe('paceOf', () => {
  it('is a look a second for a lease of five seconds, and for longer ones', () => {
    for (const leaseSeconds of [5, 8, 60])
      expect(paceOf(leaseSeconds)).to.deep.equal({ intervalMs: 1000, postgresPatienceMs: 500 })
  })

  it('looks as many times in a shorter lease', () => {
    expect(paceOf(3)).to.deep.equal({ intervalMs: 600, postgresPatienceMs: 300 })
  })
})
