// Tokens of an instance whose clock is ahead of this one's: they end their sessions here, and are of no other use.
import { expect } from 'chai'
import { endAllSessions } from '../../../../src/auth/sessions/end-session.ts'
import { logout } from '../../../../src/auth/sessions/logout.ts'
import { logoutBearer, type LogoutBearerDeps } from '../../../../src/auth/sessions/logout-bearer.ts'
import { logoutEither } from '../../../../src/auth/sessions/logout-either.ts'
import { readSession } from '../../../../src/auth/sessions/read-session.ts'
import { refresh, refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { revokeToken } from '../../../../src/auth/tokens/revoke-token.ts'
import { authenticate } from '../../../../src/auth/tokens/verify-access.ts'
import { verifyRefreshToEnd } from '../../../../src/auth/tokens/verify-to-end.ts'
import { verifyToken } from '../../../../src/auth/tokens/verify-token.ts'
import { encodeJws, hs256 } from '../../../../src/tokens/jws.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { liveSessions, loggedIn, type LoggedIn } from '../../../support/builders/logged-in.ts'
import { testForeignTokens } from '../../../support/builders/test-foreign-tokens.ts'
import { memoryStores, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const SECRET = 'a secret that another login service signs with'
const AHEAD_SECONDS = 30

describe('tokens of a clock that is half a minute ahead', () => {
  let deps: MemoryStores & LogoutBearerDeps
  let alice: LoggedIn

  beforeEach(async () => {
    const stores = memoryStores()
    const { leewaySeconds } = stores
    deps = { ...stores, foreignTokens: testForeignTokens(stores, { secretKey: SECRET, leewaySeconds }) }
    deps.addUser({ username: 'alice' })
    deps.clock.advance(AHEAD_SECONDS)
    alice = await loggedIn(deps)
    deps.clock.advance(-AHEAD_SECONDS)
  })

  const endings: Record<string, () => Promise<void>> = {
    'a logout by the refresh token': async () => {
      await logout(deps, { refreshToken: alice.refresh, caller: CALLER })
    },
    'a logout with the cookie, for all devices': async () => {
      const claims = verifyRefreshToEnd(deps.tokens, alice.refresh)
      await endAllSessions(deps, { claims, caller: CALLER })
    },
    'a bearer logout': async () => {
      await logoutBearer(deps, { token: alice.access, caller: CALLER })
    },
    'a logout by the access token': async () => {
      await logoutEither(deps, { ...either, accessToken: alice.access })
    },
    'a logout by either token': async () => {
      await logoutEither(deps, { ...either, refreshToken: alice.refresh })
    },
    'a logout of all devices': async () => {
      await logoutEither(deps, { ...either, accessToken: alice.access, scope: 'all' })
    },
    'a revocation by a peer, of the access token': async () => {
      await revokeToken(deps, { token: alice.access, clientId: 'shop', caller: CALLER })
    },
    'a revocation by a peer, of the refresh token': async () => {
      await revokeToken(deps, { token: alice.refresh, clientId: 'shop', caller: CALLER })
    },
  }
  const either = { accessToken: null, refreshToken: null, scope: 'this' as const, caller: CALLER }

  for (const [what, end] of Object.entries(endings)) {
    it(`end their session by ${what}, for everybody`, async () => {
      expect(await refusalOf(end())).to.equal('resolved')

      expect(liveSessions(deps)).to.deep.equal([])
      deps.clock.advance(AHEAD_SECONDS)
      expect(await refusalOf(verifyToken(deps, alice.access))).to.equal('token_denied')
      const again = refreshRotating(deps, { token: alice.refresh, caller: CALLER })
      expect(await refusalOf(again)).to.equal('token_denied')
    })
  }

  it('are of no use before their time', async () => {
    const { access, refresh: token } = alice

    const answers = [
      await refusalOf(refresh(deps, { token, caller: CALLER })),
      await refusalOf(refreshRotating(deps, { token, caller: CALLER })),
      await refusalOf(readSession(deps, token)),
      await refusalOf(verifyToken(deps, token)),
      await refusalOf(verifyToken(deps, access)),
      await refusalOf(authenticate(deps, access)),
    ]

    expect(new Set(answers)).to.deep.equal(new Set(['token_invalid']))
    expect(liveSessions(deps)).to.deep.equal([alice.claims.sid])
  })

  it('are denied for as long as by the other clock, where the row is lost and an access token all there is', async () => {
    deps.database.sessions.length = 0

    await logoutBearer(deps, { token: alice.access, caller: CALLER })

    const untilMs = (alice.claims.iat + deps.refreshTtlSeconds + deps.leewaySeconds) * 1000
    expect(deps.denylist.denials.get(alice.claims.sid)).to.equal(untilMs)
  })

  it('let nobody end the session of another user by them', async () => {
    deps.addUser({ username: 'bob' })
    const bob = await loggedIn(deps, 'bob')

    const tokens = { accessToken: alice.access, refreshToken: bob.refresh }
    expect(await refusalOf(logoutEither(deps, { ...either, ...tokens }))).to.equal('token_invalid')
    expect(liveSessions(deps)).to.have.length(2)
  })

  it('are denied themselves where another service issued them', async () => {
    const iat = deps.now() + AHEAD_SECONDS
    const claims = { jti: 'one', iat, nbf: iat, exp: iat + 60 }
    const token = encodeJws({ alg: 'HS256' }, claims, hs256(Buffer.from(SECRET)))

    expect(await refusalOf(logoutBearer(deps, { token, caller: CALLER }))).to.equal('resolved')
    expect(deps.database.revocations).to.have.length(1)
  })

  it('are told to be expired by a clock that is ahead of theirs, and end nothing', async () => {
    deps.clock.advance(AHEAD_SECONDS + 86_400 + 60)

    expect(await refusalOf(logout(deps, { refreshToken: alice.refresh, caller: CALLER }))).to.equal(
      'token_expired',
    )
    expect(await refusalOf(logoutBearer(deps, { token: alice.access, caller: CALLER }))).to.equal(
      'token_expired',
    )
    expect(liveSessions(deps)).to.deep.equal([alice.claims.sid])
  })
})
