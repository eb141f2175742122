// Logout by either token: whoever holds one gets what they want, and nobody gets more than their own.
import { expect } from 'chai'
import { logoutEither, type LogoutEitherInput } from '../../../../src/auth/sessions/logout-either.ts'
import { refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { liveSessions, loggedIn, type LoggedIn } from '../../../support/builders/logged-in.ts'
import { memoryStores, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('logout by either token', () => {
  let stores: MemoryStores
  let here: LoggedIn
  let elsewhere: LoggedIn
  let bob: LoggedIn

  beforeEach(async () => {
    stores = memoryStores()
    stores.addUser({ username: 'alice' })
    stores.addUser({ username: 'bob' })
    here = await loggedIn(stores)
    elsewhere = await loggedIn(stores)
    bob = await loggedIn(stores, 'bob')
  })

  const ask = async (parts: Partial<LogoutEitherInput>) =>
    await refusalOf(
      logoutEither(stores, {
        accessToken: null,
        refreshToken: null,
        scope: 'this',
        caller: CALLER,
        ...parts,
      }),
    )
  const sids = (...sessions: LoggedIn[]) => sessions.map(({ claims }) => claims.sid)
  const endReasons = () => stores.database.sessions.map(({ endReason }) => endReason)

  describe('with an access token', () => {
    it('ends its session, and no other', async () => {
      expect(await ask({ accessToken: here.access })).to.equal('resolved')
      expect(liveSessions(stores)).to.deep.equal(sids(elsewhere, bob))
      expect(endReasons()[0]).to.equal('logout')
    })

    it('resolves again when the session is over, and writes nothing more', async () => {
      await ask({ accessToken: here.access })
      const logs = stores.database.logs.length

      expect(await ask({ accessToken: here.access })).to.equal('resolved')
      expect(stores.database.logs).to.have.length(logs)
    })

    it('holds here, too, what another instance ended and could not tell the denylist', async () => {
      await stores.sessions.end(
        { id: here.claims.sid, userId: here.claims.sub, reason: 'logout', expiresAt: here.claims.exp },
        { type: 'USER_LOGOUT', caller: CALLER },
      )
      const before = [...stores.denylist.denials.keys()]

      await ask({ accessToken: here.access })

      expect(before).to.deep.equal([])
      expect([...stores.denylist.denials.keys()]).to.deep.equal([here.claims.sid])
    })

    it('refuses garbage, a refresh token, an expired one, and none', async () => {
      const garbage = await ask({ accessToken: 'garbage' })
      const wrongKind = await ask({ accessToken: here.refresh })
      const none = await ask({})
      stores.clock.advance(306)
      const expired = await ask({ accessToken: here.access })

      expect([garbage, wrongKind, none, expired]).to.deep.equal([
        'token_invalid',
        'token_wrong_type',
        'token_invalid',
        'token_expired',
      ])
      expect(liveSessions(stores)).to.have.length(3)
    })
  })

  describe('with a refresh token too', () => {
    it('ends the session of the refresh token instead', async () => {
      const answer = await ask({ accessToken: here.access, refreshToken: elsewhere.refresh })

      expect(answer).to.equal('resolved')
      expect(liveSessions(stores)).to.deep.equal(sids(here, bob))
    })

    it('resolves when that session is over already', async () => {
      const both = { accessToken: here.access, refreshToken: elsewhere.refresh }
      await ask(both)

      expect(await ask(both)).to.equal('resolved')
      expect(liveSessions(stores)).to.deep.equal(sids(here, bob))
    })

    it('is token_invalid for another user’s, and ends nothing', async () => {
      expect(await ask({ accessToken: here.access, refreshToken: bob.refresh })).to.equal('token_invalid')
      expect(liveSessions(stores)).to.have.length(3)
    })

    it('refuses a bad refresh token though the access token is good, and ends nothing', async () => {
      const garbage = await ask({ accessToken: here.access, refreshToken: 'garbage' })
      const wrongKind = await ask({ accessToken: here.access, refreshToken: elsewhere.access })

      expect([garbage, wrongKind]).to.deep.equal(['token_invalid', 'token_wrong_type'])
      expect(liveSessions(stores)).to.have.length(3)
    })
  })

  describe('with a refresh token and no good access token', () => {
    it('ends the session of the refresh token, again and again', async () => {
      const first = await ask({ refreshToken: elsewhere.refresh })
      const again = await ask({ refreshToken: elsewhere.refresh, accessToken: 'garbage' })

      expect([first, again]).to.deep.equal(['resolved', 'resolved'])
      expect(liveSessions(stores)).to.deep.equal(sids(here, bob))
    })

    it('works with an access token that has expired', async () => {
      stores.clock.advance(306)

      expect(await ask({ accessToken: here.access, refreshToken: here.refresh })).to.equal('resolved')
      expect(liveSessions(stores)).to.deep.equal(sids(elsewhere, bob))
    })

    it('works with a refresh token that its successor has replaced', async () => {
      await refreshRotating(stores, { token: here.refresh, caller: CALLER })

      expect(await ask({ refreshToken: here.refresh })).to.equal('resolved')
      expect(liveSessions(stores)).to.deep.equal(sids(elsewhere, bob))
    })

    it('is token_expired once it has expired', async () => {
      stores.clock.advance(86_406)

      expect(await ask({ refreshToken: here.refresh })).to.equal('token_expired')
    })
  })

  describe('for all devices', () => {
    it('ends every session of the user, of nobody else', async () => {
      expect(await ask({ accessToken: here.access, scope: 'all' })).to.equal('resolved')
      expect(liveSessions(stores)).to.deep.equal(sids(bob))
      expect(endReasons()).to.deep.equal(['logout_all', 'logout_all', null])
    })

    it('is token_denied by a session that is over, while others are on: these stay', async () => {
      await ask({ accessToken: here.access })

      expect(await ask({ accessToken: here.access, scope: 'all' })).to.equal('token_denied')
      expect(await ask({ refreshToken: here.refresh, scope: 'all' })).to.equal('token_denied')
      expect(liveSessions(stores)).to.deep.equal(sids(elsewhere, bob))
    })

    it('resolves by a session that is over once all others are, too', async () => {
      await ask({ accessToken: here.access, scope: 'all' })

      expect(await ask({ accessToken: elsewhere.access, scope: 'all' })).to.equal('resolved')
    })
  })

  it('is unavailable while the journal cannot be written', async () => {
    stores.database.isAnswering = false

    expect(await ask({ accessToken: here.access })).to.equal('unavailable')
    expect(await ask({ accessToken: here.access, scope: 'all' })).to.equal('unavailable')
  })
})
