// What is to be done about a Postgres that may lose logouts, or is not the one to ask.
import { expect } from 'chai'
import { assertPrimary, unfitness } from '../../../../src/store/postgres/postgres-health.ts'

describe('unfitness', () => {
  const FIT = { fsync: 'on', fullPageWrites: 'on', synchronousCommit: 'on' }

  for (const synchronousCommit of ['on', 'remote_apply']) {
    it(`has nothing to say of a Postgres whose commits are on disk (${synchronousCommit})`, () => {
      expect(unfitness({ ...FIT, synchronousCommit })).to.equal(null)
    })
  }

  const WRONG: [Partial<typeof FIT>, string][] = [
    [{ fsync: 'off' }, 'fsync to on (it is off)'],
    [{ fullPageWrites: 'off' }, 'full_page_writes to on (it is off)'],
    [{ synchronousCommit: 'off' }, 'synchronous_commit to on (it is off)'],
    [{ synchronousCommit: 'local' }, 'synchronous_commit to on (it is local)'],
    [{ synchronousCommit: 'remote_write' }, 'synchronous_commit to on (it is remote_write)'],
    [
      { fsync: 'off', synchronousCommit: 'off' },
      'fsync to on (it is off) and synchronous_commit to on (it is off)',
    ],
  ]
  for (const [wrong, remedy] of WRONG) {
    it(`says to set ${remedy}`, () => {
      expect(unfitness({ ...FIT, ...wrong })).to.equal(
        `Postgres may lose what it has committed, which undoes logouts: set ${remedy}`,
      )
    })
  }
})

describe('assertPrimary', () => {
  it('accepts a server that takes writes, and none that does not say so', () => {
    expect(() => {
      assertPrimary({ isInRecovery: false, isReadOnly: false })
    }).not.to.throw()
    expect(() => {
      assertPrimary(undefined)
    }).to.throw('did not tell')
  })

  it('tells a standby, which is read-only too, from a primary that takes no writes', () => {
    expect(() => {
      assertPrimary({ isInRecovery: true, isReadOnly: true })
    }).to.throw('Postgres is a standby (in recovery): DATABASE_URL must lead to the primary')
    expect(() => {
      assertPrimary({ isInRecovery: false, isReadOnly: true })
    }).to.throw('Postgres takes no writes')
  })
})
