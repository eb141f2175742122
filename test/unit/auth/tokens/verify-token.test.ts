// Verification of tokens of either kind.
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import { login } from '../../../../src/auth/sessions/login.ts'
import { refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { verifyRefresh } from '../../../../src/auth/tokens/verify-refresh.ts'
import { verifyToken } from '../../../../src/auth/tokens/verify-token.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalBy, refusalOf } from '../../../support/clients/refusal-of.ts'

let stores: MemoryStores
let pair: { access: string; refresh: string }

async function logIn(rotates: boolean): Promise<void> {
  stores = memoryStores()
  stores.addUser({ username: 'alice' })
  const input = { username: 'alice', password: PASSWORD, rotates, caller: CALLER }
  const { access, refresh } = await login(stores, input)
  pair = { access: access.token, refresh: refresh.token }
}
const loggedIn = async () => {
  await logIn(false)
}

describe('verifyToken', () => {
  beforeEach(loggedIn)

  for (const kind of ['access', 'refresh'] as const) {
    const ask = async () => await refusalOf(verifyToken(stores, pair[kind]))

    it(`resolves for a live ${kind} token`, async () => {
      expect(await ask()).to.equal('resolved')
    })

    it(`is token_denied when the session of the ${kind} token is denied`, async () => {
      const { sid } = stores.tokens.verify(pair[kind])
      await stores.denylist.deny([{ id: sid, ttlMs: 1000 }])

      expect(await ask()).to.equal('token_denied')
    })

    it(`is token_denied when the ${kind} token itself is denied, and the other one stays good`, async () => {
      const { sid, jti } = stores.tokens.verify(pair[kind])
      await stores.denylist.deny([{ id: `${sid}:${jti}`, ttlMs: 1000 }])

      const other = await refusalOf(verifyToken(stores, pair[kind === 'access' ? 'refresh' : 'access']))

      expect(await ask()).to.equal('token_denied')
      expect(other).to.equal('resolved')
    })

    it(`is token_expired when the time of the ${kind} token is over, denied or not`, async () => {
      const { sid, exp } = stores.tokens.verify(pair[kind])
      await stores.denylist.deny([{ id: sid, ttlMs: 999_999_999 }])
      stores.clock.advance(exp + 5 - stores.clock.now())

      expect(await ask()).to.equal('token_expired')
    })

    it(`is unavailable for a ${kind} token when nobody can tell`, async () => {
      stores.denylist.isTrusted = false
      stores.database.isAnswering = false

      expect(await ask()).to.equal('unavailable')
    })
  }

  it('is token_invalid for what is no token of ours', async () => {
    for (const garbage of ['', '.', '..', '...', 'a.b.c', uuidv4(), pair.access.slice(1)]) {
      expect(await refusalOf(verifyToken(stores, garbage)), garbage).to.equal('token_invalid')
    }
  })
})

describe('verifyToken for a refresh token with a generation', () => {
  beforeEach(async () => {
    await logIn(true)
  })

  const ask = async (token = pair.refresh) => await refusalOf(verifyToken(stores, token))
  const rotated = async (token: string) =>
    (await refreshRotating(stores, { token, caller: CALLER })).refresh.token

  it('resolves for the current one, and for the previous one within the grace', async () => {
    const current = await rotated(pair.refresh)
    stores.clock.advance(stores.rotationGraceSeconds)

    expect([await ask(current), await ask()]).to.deep.equal(['resolved', 'resolved'])
  })

  it('is token_denied for one that was used up, and leaves the session on', async () => {
    const current = await rotated(pair.refresh)
    stores.clock.advance(stores.rotationGraceSeconds + 1)
    const logs = stores.database.logs.length

    expect(await ask(current)).to.equal('resolved')
    expect(await ask()).to.equal('token_denied')
    expect(stores.database.sessions[0]?.endReason).to.equal(null)
    expect(stores.database.logs).to.have.length(logs)
  })

  it('tells the row that the current one has arrived', async () => {
    const current = await rotated(pair.refresh)
    await ask(current)

    const { sid } = stores.tokens.verify(current)
    expect(await stores.sessions.find(sid)).to.include({ isPresented: true })
  })

  it('resolves for a generation that the row has lost', async () => {
    const current = await rotated(pair.refresh)
    const [session] = stores.database.sessions
    if (session) session.generation = 0

    expect(await ask(current)).to.equal('resolved')
  })

  it('is token_denied when the denylist knows of an end that the row has lost', async () => {
    const { sid } = stores.tokens.verify(pair.refresh)
    await stores.denylist.deny([{ id: sid, ttlMs: 60_000 }])

    expect(await ask()).to.equal('token_denied')
  })

  it('is token_denied when the session is over', async () => {
    const [session] = stores.database.sessions
    if (session) session.endReason = 'logout'

    expect(await ask()).to.equal('token_denied')
  })

  it('is unavailable when the row cannot be read, though the denylist answers', async () => {
    stores.database.isAnswering = false

    expect(await ask()).to.equal('unavailable')
  })
})

describe('verifyRefresh', () => {
  beforeEach(loggedIn)

  it('returns the claims of a refresh token', () => {
    const claims = verifyRefresh(stores.tokens, pair.refresh)

    expect(claims).to.deep.equal(stores.tokens.verify(pair.refresh))
  })

  it('throws token_wrong_type for an access token that is otherwise good', () => {
    expect(refusalBy(() => verifyRefresh(stores.tokens, pair.access))).to.equal('token_wrong_type')
  })

  it('throws token_expired, not token_wrong_type, for an access token whose time is over', () => {
    stores.clock.advance(305)

    expect(refusalBy(() => verifyRefresh(stores.tokens, pair.access))).to.equal('token_expired')
  })
})
