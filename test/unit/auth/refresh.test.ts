// Refresh: one question to the denylist, none to the journal while that can tell.
import { expect } from 'chai'
import { login, type Pair } from '../../../src/auth/login.ts'
import type { Journal } from '../../../src/auth/ports.ts'
import { refresh } from '../../../src/auth/refresh.ts'
import { ORIGIN } from '../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../support/refusal-of.ts'

describe('refresh', () => {
  let stores: MemoryStores
  let pair: Pair

  beforeEach(async () => {
    stores = memoryStores()
    stores.addUser({ username: 'alice', role: 'admin' })
    pair = await login(stores, { username: 'alice', password: PASSWORD, origin: ORIGIN })
  })

  it('signs an access token of the same session, user and scope', async () => {
    const before = stores.tokens.verify(pair.access)
    stores.clock.advance(60)

    const after = stores.tokens.verify(await refresh(stores, pair.refresh))

    expect(after.jti).not.to.equal(before.jti)
    expect({ ...after, jti: before.jti }).to.deep.equal({
      ...before,
      iat: before.iat + 60,
      exp: before.exp + 60,
    })
  })

  it('asks the denylist once, and the store of sessions nothing', async () => {
    stores.database.isAnswering = false

    await refresh(stores, pair.refresh)

    expect(stores.denylist.checks).to.equal(1)
  })

  it('signs nothing that outlives the refresh token', async () => {
    const { exp } = stores.tokens.verify(pair.refresh)
    stores.clock.advance(86_400 - 10)

    const access = stores.tokens.verify(await refresh(stores, pair.refresh))

    expect(access.exp).to.equal(exp)
  })

  it('is token_wrong_type for an access token', async () => {
    expect(await refusalOf(refresh(stores, pair.access))).to.equal('token_wrong_type')
  })

  it('is token_expired once the leeway after its end is over', async () => {
    stores.clock.advance(86_400 + 5)

    expect(await refusalOf(refresh(stores, pair.refresh))).to.equal('token_expired')
  })

  it('is token_invalid for garbage, without a question to anybody', async () => {
    expect(await refusalOf(refresh(stores, 'garbage'))).to.equal('token_invalid')
    expect(stores.denylist.checks).to.equal(0)
  })

  it('asks the journal when the denylist cannot tell', async () => {
    stores.denylist.isTrusted = false
    const asked: object[] = []
    const journal: Journal = {
      isDenied: async (ids) => {
        asked.push(ids)
        return await stores.journal.isDenied(ids)
      },
    }

    const answer = await refusalOf(refresh({ ...stores, journal }, pair.refresh))

    const { sid, jti } = stores.tokens.verify(pair.refresh)
    expect(answer).to.equal('resolved')
    expect(asked).to.have.length(1)
    expect(asked[0]).to.include({ sid, jti })
  })

  it('is unavailable when neither can tell', async () => {
    stores.denylist.isTrusted = false
    stores.database.isAnswering = false

    expect(await refusalOf(refresh(stores, pair.refresh))).to.equal('unavailable')
  })
})
