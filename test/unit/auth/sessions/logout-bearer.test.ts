// The logout of an access token: all of the session if it is ours, that one token if another service issued it.
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import type { BegunSession } from '../../../../src/auth/sessions/begin-session.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import { logoutBearer, type LogoutBearerDeps } from '../../../../src/auth/sessions/logout-bearer.ts'
import type { ForeignTokens } from '../../../../src/auth/ports/tokens.ts'
import { refresh } from '../../../../src/auth/sessions/refresh.ts'
import { verifyToken } from '../../../../src/auth/tokens/verify-token.ts'
import { hs256 } from '../../../../src/tokens/jws.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { forgedToken, headerOf, payloadOf } from '../../../support/builders/forged-token.ts'
import { testForeignTokens } from '../../../support/builders/test-foreign-tokens.ts'
import { ISSUER } from '../../../support/builders/test-keys.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const SECRET = 'a secret that another login service signs with'
const LIFE_SECONDS = 60

let deps: MemoryStores & LogoutBearerDeps

beforeEach(() => {
  const rules = memoryStores()
  const { leewaySeconds } = rules
  deps = { ...rules, foreignTokens: testForeignTokens(rules, { secretKey: SECRET, leewaySeconds }) }
})

const ask = async (token: string, changes: Partial<LogoutBearerDeps> = {}) =>
  await refusalOf(logoutBearer({ ...deps, ...changes }, { token, caller: CALLER }))

describe('logoutBearer with an access token of ours', () => {
  let begun: BegunSession

  beforeEach(async () => {
    deps.addUser({ username: 'alice' })
    begun = await login(deps, { username: 'alice', password: PASSWORD, rotates: false, caller: CALLER })
  })

  it('ends its session, for the refresh token too', async () => {
    expect(await ask(begun.access.token)).to.equal('resolved')
    const again = refresh(deps, { token: begun.refresh.token, caller: CALLER })
    expect(await refusalOf(again)).to.equal('token_denied')
    expect(await refusalOf(verifyToken(deps, begun.access.token))).to.equal('token_denied')
  })

  it('denies the session for as long as its refresh token could live, not just the access token', async () => {
    await ask(begun.access.token)

    const untilMs = (begun.refresh.exp + deps.leewaySeconds) * 1000
    expect([...deps.denylist.denials]).to.deep.equal([[begun.sid, untilMs]])
  })

  it('writes one entry, of the logout of that session', async () => {
    await ask(begun.access.token)

    expect(deps.database.logs.slice(1)).to.deep.equal([
      { type: 'USER_LOGOUT', caller: CALLER, userId: begun.user.id, sessionId: begun.sid },
    ])
  })

  it('is token_denied the second time, and changes nothing', async () => {
    await ask(begun.access.token)
    const logs = deps.database.logs.length

    expect(await ask(begun.access.token)).to.equal('token_denied')
    expect(deps.database.logs).to.have.length(logs)
    expect(deps.database.revocations).to.have.length(1)
  })

  it('lets one of twenty racing callers succeed', async () => {
    const calls = Array.from({ length: 20 }, async () => await ask(begun.access.token))

    const answers = await Promise.all(calls)

    expect(answers.filter((answer) => answer === 'resolved')).to.have.length(1)
    expect(answers.filter((answer) => answer === 'token_denied')).to.have.length(19)
  })

  it('is token_wrong_type for a refresh token, and ends nothing', async () => {
    expect(await ask(begun.refresh.token)).to.equal('token_wrong_type')
    expect(deps.database.sessions[0]?.endReason).to.equal(null)
  })

  it('is token_expired once the leeway after its end is over', async () => {
    deps.clock.advance(300 + deps.leewaySeconds)

    expect(await ask(begun.access.token)).to.equal('token_expired')
  })

  it('never asks about other services for what says that it is ours', async () => {
    const asked: string[] = []
    const recording: ForeignTokens = {
      verify: async (token) => {
        asked.push(token)
        return await deps.foreignTokens.verify(token)
      },
    }
    // With their secret one could otherwise end sessions here.
    const header = { ...headerOf(begun.access.token), alg: 'HS256' }
    const forged = forgedToken(header, payloadOf(begun.access.token), hs256(Buffer.from(SECRET)))

    const answers = [
      await ask(forged, { foreignTokens: recording }),
      await ask(begun.access.token, { foreignTokens: recording }),
    ]

    expect(answers).to.deep.equal(['token_invalid', 'resolved'])
    expect(asked).to.deep.equal([])
  })

  it('is unavailable while the store does not answer, and the denylist is told all the same', async () => {
    deps.database.isAnswering = false

    expect(await ask(begun.access.token)).to.equal('unavailable')
    expect(await deps.denylist.check({ sid: begun.sid, jti: uuidv4() })).to.equal('denied')
  })
})

describe('logoutBearer with a token of another service', () => {
  const foreign = (claims: object = {}) =>
    forgedToken(
      { alg: 'HS256', typ: 'JWT' },
      { sub: '17', jti: uuidv4(), exp: deps.clock.now() + LIFE_SECONDS, ...claims },
      hs256(Buffer.from(SECRET)),
    )

  it('denies that token, journal first, for what is left of it and the leeway', async () => {
    const token = foreign()
    const { id } = await deps.foreignTokens.verify(token)
    const journalSaid: (string | undefined)[] = []
    const denylist = {
      ...deps.denylist,
      deny: async (denials: Parameters<typeof deps.denylist.deny>[0]) => {
        journalSaid.push(deps.database.revocations[0]?.deniedId)
        await deps.denylist.deny(denials)
      },
    }

    expect(await ask(token, { denylist })).to.equal('resolved')
    expect(journalSaid).to.deep.equal([id])
    const untilMs = deps.clock.nowMs() + (LIFE_SECONDS + deps.leewaySeconds) * 1000
    expect([...deps.denylist.denials]).to.deep.equal([[id, untilMs]])
  })

  it('is token_denied the second time, and changes nothing', async () => {
    const token = foreign()
    await ask(token)

    expect(await ask(token)).to.equal('token_denied')
    expect(deps.database.revocations).to.have.length(1)
    expect(deps.database.logs).to.have.length(1)
  })

  it('is token_denied the second time with a denylist that lost everything', async () => {
    const token = foreign()
    await ask(token)

    deps.denylist.empty()

    expect(await ask(token)).to.equal('token_denied')
  })

  it('leaves other tokens of that service alone', async () => {
    await ask(foreign())

    expect(await ask(foreign())).to.equal('resolved')
  })

  it('writes one entry, of no user and no session of ours', async () => {
    await ask(foreign())

    const message = 'a token of another service'
    expect(deps.database.logs).to.deep.equal([{ type: 'USER_LOGOUT', caller: CALLER, message }])
  })

  it('names the issuer in the entry, where the token does', async () => {
    await ask(foreign({ iss: 'https://login.example.com' }))

    expect(deps.database.logs[0]?.message).to.equal('a token of https://login.example.com')
  })

  const refused = [
    {
      what: 'one whose time is over',
      code: 'token_expired',
      of: () => foreign({ exp: deps.clock.now() - 5 }),
    },
    { what: 'a refresh token', code: 'token_wrong_type', of: () => foreign({ token_type: 'refresh' }) },
    { what: 'one that ends never', code: 'token_outlives_denial', of: () => foreign({ exp: undefined }) },
    { what: 'one that bears our name', code: 'token_invalid', of: () => foreign({ iss: ISSUER }) },
    { what: 'an altered one', code: 'token_invalid', of: () => `${foreign()}AA` },
    { what: 'garbage', code: 'token_invalid', of: () => 'garbage' },
  ]
  for (const { what, code, of } of refused) {
    it(`is ${code} for ${what}, and denies nothing`, async () => {
      expect(await ask(of())).to.equal(code)
      expect(deps.database.revocations).to.deep.equal([])
      expect(deps.denylist.denials.size).to.equal(0)
    })
  }

  it('is unavailable while the journal does not answer, and the denylist is told all the same', async () => {
    const token = foreign()
    const { id } = await deps.foreignTokens.verify(token)
    deps.clock.advance(10)
    deps.database.isAnswering = false

    expect(await ask(token)).to.equal('unavailable')
    const untilMs = deps.clock.nowMs() + (LIFE_SECONDS - 10 + deps.leewaySeconds) * 1000
    expect([...deps.denylist.denials]).to.deep.equal([[id, untilMs]])
  })

  it('can be asked again when the journal is back, and is then durable', async () => {
    const token = foreign()
    deps.database.isAnswering = false
    await ask(token)
    deps.database.isAnswering = true

    expect(await ask(token)).to.equal('resolved')
    expect(deps.database.revocations).to.have.length(1)
  })
})
