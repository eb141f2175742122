// A login where another session's token is kept: that session ends, and only then.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import type { Denylist } from '../../../../src/auth/ports/denials.ts'
import { refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { replaceSession, type ReplaceSessionDeps } from '../../../../src/auth/sessions/replace-session.ts'
import { verifyToken } from '../../../../src/auth/tokens/verify-token.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { loggedIn, liveSessions, type LoggedIn } from '../../../support/builders/logged-in.ts'
import { testKeys, testTokens } from '../../../support/builders/test-keys.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('replaceSession', () => {
  let stores: MemoryStores
  let held: LoggedIn

  beforeEach(async () => {
    stores = memoryStores()
    stores.addUser({ username: 'alice' })
    stores.addUser({ username: 'bob' })
    held = await loggedIn(stores)
  })

  interface Asked {
    username?: string
    password?: string
    heldToken?: string | null
  }
  const ask = async (asked: Asked = {}, deps: Partial<ReplaceSessionDeps> = {}) => {
    const { username = 'alice', password = PASSWORD, heldToken = held.refresh } = asked
    const input = { username, password, rotates: true, caller: CALLER, heldToken }
    return await replaceSession({ ...stores, ...deps }, input)
  }
  const refreshed = async (token: string) => await refreshRotating(stores, { token, caller: CALLER })
  const endOf = (id: string) => stores.database.sessions.find((session) => session.id === id)?.endReason

  for (const username of ['alice', 'bob']) {
    it(`ends the session of alice at the login of ${username}, for all of its tokens`, async () => {
      const begun = await ask({ username })

      expect(liveSessions(stores)).to.deep.equal([begun.sid])
      expect(endOf(held.claims.sid)).to.equal('replaced')
      expect(await refusalOf(refreshed(held.refresh))).to.equal('token_denied')
      expect(await refusalOf(verifyToken(stores, held.access))).to.equal('token_denied')
      expect(await refusalOf(refreshed(begun.refresh.token))).to.equal('resolved')
    })
  }

  it('leaves the other sessions of the user alone', async () => {
    const elsewhere = await loggedIn(stores)

    const begun = await ask()

    expect(liveSessions(stores)).to.deep.equal([elsewhere.claims.sid, begun.sid])
  })

  it('writes one entry of the end, after that of the login, to whom the session belonged', async () => {
    const { sid, user } = await ask({ username: 'bob' })

    expect(stores.database.logs.slice(1)).to.deep.equal([
      { type: 'USER_LOGIN', caller: CALLER, userId: user.id, sessionId: sid },
      {
        type: 'SESSION_REVOKED',
        caller: CALLER,
        userId: held.claims.sub,
        sessionId: held.claims.sid,
        message: 'replaced by a login in the same browser',
      },
    ])
  })

  it('ends the session of a token that was replaced long ago', async () => {
    const next = await refreshed(held.refresh)
    await refreshed(next.refresh.token)
    stores.clock.advance(stores.rotationGraceSeconds + 1)

    const begun = await ask()

    expect(liveSessions(stores)).to.deep.equal([begun.sid])
    expect(endOf(held.claims.sid)).to.equal('replaced')
  })

  it('ends the session of a token that a clock ahead of this one has issued', async () => {
    stores.clock.advance(-3600)

    const begun = await ask()

    expect(liveSessions(stores)).to.deep.equal([begun.sid])
  })

  it('is done where that session was over already, and makes sure that this instance knows', async () => {
    await ask()
    stores.denylist.empty()

    const again = await ask()

    expect(liveSessions(stores)).to.include(again.sid)
    expect([...stores.denylist.denials.keys()]).to.deep.equal([held.claims.sid])
  })

  for (const { what, answer, asked } of [
    { what: 'a wrong password', answer: 'credentials_invalid', asked: { password: 'wrong' } },
    { what: 'an unknown user', answer: 'credentials_invalid', asked: { username: 'nobody' } },
  ]) {
    it(`leaves the session alone at ${what}`, async () => {
      expect(await refusalOf(ask(asked))).to.equal(answer)
      expect(liveSessions(stores)).to.deep.equal([held.claims.sid])
      expect(await refusalOf(refreshed(held.refresh))).to.equal('resolved')
    })
  }

  it('leaves the session alone where the login meets a store that is down', async () => {
    stores.database.isAnswering = false

    const answer = await refusalOf(ask())
    stores.database.isAnswering = true

    expect(answer).to.equal('unavailable')
    expect(await refusalOf(refreshed(held.refresh))).to.equal('resolved')
  })

  it('takes no notice of whatever is no refresh token of ours, or has expired', async () => {
    const strangers = testTokens(testKeys(), stores.clock)
    const stranger = strangers.signRefresh(
      { sid: held.claims.sid, userId: held.claims.sub, scope: 'user' },
      true,
    )
    for (const heldToken of [null, '', 'garbage', held.access, stranger.token]) {
      expect(await refusalOf(ask({ heldToken }))).to.equal('resolved')
      expect(endOf(held.claims.sid)).to.equal(null)
    }

    stores.clock.advance(86_400 + stores.leewaySeconds)
    expect(await refusalOf(ask())).to.equal('resolved')
    expect(endOf(held.claims.sid)).to.equal(null)
  })

  describe('while the session cannot be ended', () => {
    it('is unavailable, leaves the session alone, and tells the denylist nothing', async () => {
      const sessions = { ...stores.sessions, end: async () => await unavailable() }

      const answer = await refusalOf(ask({}, { sessions }))

      expect(answer).to.equal('unavailable')
      expect(await stores.denylist.check({ sid: held.claims.sid, jti: 'any' })).to.equal('live')
      expect(await refusalOf(refreshed(held.refresh))).to.equal('resolved')
    })

    it('is unavailable where others cannot be told, and leaves no session that nobody can use', async () => {
      const denylist: Denylist = { ...stores.denylist, deny: async () => await unavailable() }

      const answer = await refusalOf(ask({}, { denylist }))

      expect(answer).to.equal('unavailable')
      expect(liveSessions(stores)).to.deep.equal([])
    })

    it('can be asked again when that is over', async () => {
      const sessions = { ...stores.sessions, end: async () => await unavailable() }
      await refusalOf(ask({}, { sessions }))

      const begun = await ask()

      expect(endOf(held.claims.sid)).to.equal('replaced')
      expect(liveSessions(stores)).to.include(begun.sid)
    })
  })
})

async function unavailable(): Promise<never> {
  return await Promise.reject(new AuthError('unavailable'))
}
