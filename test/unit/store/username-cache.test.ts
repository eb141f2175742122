// Names of users, read once, and never waited for.
import { expect } from 'chai'
import { usernameCache } from '../../../src/store/username-cache.ts'
import { account } from '../../support/builders/account.ts'
import { AuthError } from '../../../src/auth/errors.ts'

const ALICE = account({ username: 'alice' })

describe('usernameCache', () => {
  it('reads a name once', async () => {
    let readings = 0
    const names = usernameCache({
      findById: async () => {
        readings += 1
        return await Promise.resolve(ALICE)
      },
    })

    expect([await names.nameOf(ALICE.id), await names.nameOf(ALICE.id)]).to.deep.equal(['alice', 'alice'])
    expect(readings).to.equal(1)
  })

  it('has none for nobody', async () => {
    const names = usernameCache({ findById: async () => await Promise.resolve(null) })

    expect(await names.nameOf(ALICE.id)).to.equal(null)
  })

  it('goes without when the store fails, and leaves it alone for a while', async () => {
    let readings = 0
    const names = usernameCache({
      findById: async () => {
        readings += 1
        return await Promise.reject(new AuthError('unavailable'))
      },
    })

    expect([await names.nameOf('a'), await names.nameOf('b')]).to.deep.equal([null, null])
    expect(readings).to.equal(1)
  })

  it('goes without when the store hangs, keeping nobody waiting but the first', async () => {
    let readings = 0
    const names = usernameCache({
      findById: async () => {
        readings += 1
        return await new Promise(() => undefined)
      },
    })
    const start = performance.now()

    const first = await names.nameOf('a')
    const waited = performance.now() - start
    const second = await names.nameOf('b')

    expect([first, second]).to.deep.equal([null, null])
    expect(waited).to.be.above(200)
    expect(readings).to.equal(1)
  })
})
