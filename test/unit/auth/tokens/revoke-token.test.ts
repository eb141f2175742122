// A token that a peer hands in, of either kind or none.
import { expect } from 'chai'
import type { LogoutBearerDeps } from '../../../../src/auth/sessions/logout-bearer.ts'
import { revokeToken } from '../../../../src/auth/tokens/revoke-token.ts'
import { verifyToken } from '../../../../src/auth/tokens/verify-token.ts'
import { encodeJws, hs256 } from '../../../../src/tokens/jws.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { liveSessions, loggedIn, type LoggedIn } from '../../../support/builders/logged-in.ts'
import { testForeignTokens } from '../../../support/builders/test-foreign-tokens.ts'
import { memoryStores, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const SECRET = 'a secret that another login service signs with'

describe('revokeToken', () => {
  let deps: MemoryStores & LogoutBearerDeps
  let alice: LoggedIn

  beforeEach(async () => {
    const stores = memoryStores()
    const { leewaySeconds } = stores
    deps = { ...stores, foreignTokens: testForeignTokens(stores, { secretKey: SECRET, leewaySeconds }) }
    deps.addUser({ username: 'alice' })
    alice = await loggedIn(deps)
  })

  const revoke = async (token: string) =>
    await refusalOf(revokeToken(deps, { token, clientId: 'shop', caller: CALLER }))
  const isDead = async (token: string) => (await refusalOf(verifyToken(deps, token))) === 'token_denied'

  for (const kind of ['access', 'refresh'] as const) {
    it(`ends the session behind the ${kind} token, and the log says who wanted it`, async () => {
      const other = await loggedIn(deps)

      expect(await revoke(alice[kind])).to.equal('resolved')

      expect([await isDead(alice.access), await isDead(alice.refresh)]).to.deep.equal([true, true])
      expect(liveSessions(deps)).to.deep.equal([other.claims.sid])
      expect(deps.database.logs.at(-1)).to.deep.equal({
        type: 'USER_LOGOUT',
        caller: CALLER,
        userId: alice.claims.sub,
        sessionId: alice.claims.sid,
        message: 'by the peer shop',
      })
    })
  }

  it('has nothing to end where the session is over: twice is once', async () => {
    await revoke(alice.access)
    const entries = deps.database.logs.length

    expect([await revoke(alice.access), await revoke(alice.refresh)]).to.deep.equal(['resolved', 'resolved'])
    expect(deps.database.logs).to.have.length(entries)
  })

  it('makes this instance refuse what another one ended and could not write to Redis', async () => {
    await revoke(alice.access)
    deps.denylist.denials.clear()

    await revoke(alice.access)

    expect([...deps.denylist.denials.keys()]).to.deep.equal([alice.claims.sid])
  })

  it('ends the session behind a token that has expired by this clock, which others may take still', async () => {
    deps.clock.advance(600)

    expect(await revoke(alice.access)).to.equal('resolved')
    expect(await isDead(alice.refresh)).to.equal(true)
    expect(liveSessions(deps)).to.deep.equal([])
  })

  it('writes nothing for an expired token whose session is over, and holds what the journal has of it', async () => {
    await revoke(alice.access)
    const entries = deps.database.logs.length
    deps.denylist.denials.clear()
    deps.clock.advance(600)

    expect(await revoke(alice.access)).to.equal('resolved')
    expect(deps.database.logs).to.have.length(entries)
    expect([...deps.denylist.denials.keys()]).to.deep.equal([alice.claims.sid])
  })

  it('writes nothing for an expired token of a session that nobody knows', async () => {
    deps.database.sessions.length = 0
    deps.clock.advance(600)

    expect(await revoke(alice.access)).to.equal('resolved')
    expect(deps.database.revocations).to.deep.equal([])
  })

  it('is not done where the journal denies the session at one moment and not at the next', async () => {
    await revoke(alice.access)
    const journal = { ...deps.journal, denialOf: async () => await Promise.resolve(null) }

    const asked = revokeToken({ ...deps, journal }, { token: alice.access, clientId: 'shop', caller: CALLER })

    expect(await refusalOf(asked)).to.equal('unavailable')
  })

  it('has nothing to end behind what is no token, and ends nothing', async () => {
    for (const garbage of ['', 'a.b.c', `${alice.access}x`, `${alice.refresh.slice(0, -5)}AAAAA`, '\0']) {
      expect(await revoke(garbage), garbage).to.equal('resolved')
    }
    expect(liveSessions(deps)).to.deep.equal([alice.claims.sid])
  })

  it('denies a token of another service itself', async () => {
    const claims = { jti: 'one', exp: deps.now() + 60 }
    const token = encodeJws({ alg: 'HS256' }, claims, hs256(Buffer.from(SECRET)))

    expect([await revoke(token), await revoke(token)]).to.deep.equal(['resolved', 'resolved'])
    expect(deps.database.revocations).to.have.length(1)
  })

  it('is not done for one of another service that outlives its denial, and denies nothing', async () => {
    const year9999 = 253_402_300_799
    for (const exp of [year9999, undefined]) {
      const token = encodeJws({ alg: 'HS256' }, { jti: 'one', exp }, hs256(Buffer.from(SECRET)))
      expect(await revoke(token)).to.equal('token_outlives_denial')
    }
    expect(deps.database.revocations).to.deep.equal([])
  })

  it('makes this instance hold a token of another service that another one denied', async () => {
    const claims = { jti: 'one', exp: deps.now() + 60 }
    const token = encodeJws({ alg: 'HS256' }, claims, hs256(Buffer.from(SECRET)))
    await revoke(token)
    deps.denylist.denials.clear()

    expect(await revoke(token)).to.equal('resolved')
    expect([...deps.denylist.denials.keys()]).to.deep.equal([deps.database.revocations[0]?.deniedId])
  })

  it('is not done when it cannot be made durable', async () => {
    deps.database.isAnswering = false

    expect([await revoke(alice.access), await revoke(alice.refresh)]).to.deep.equal([
      'unavailable',
      'unavailable',
    ])
  })
})
