// Rotation: each refresh token is good for one successor, however often it is asked for.
import { expect } from 'chai'
import type { BegunSession } from '../../../../src/auth/sessions/begin-session.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import { logout } from '../../../../src/auth/sessions/logout.ts'
import { readSession } from '../../../../src/auth/sessions/read-session.ts'
import type { Sessions } from '../../../../src/auth/ports/sessions.ts'
import { refresh, refreshRotating, type RefreshDeps } from '../../../../src/auth/sessions/refresh.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { payloadOf } from '../../../support/builders/forged-token.ts'
import { testKeys, testTokens } from '../../../support/builders/test-keys.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const keys = testKeys()

let deps: MemoryStores
let begun: BegunSession
let first: string

const ask = async (token: string, changes: Partial<RefreshDeps> = {}) =>
  await refreshRotating({ ...deps, ...changes }, { token, caller: CALLER })
const next = async (token: string, changes: Partial<RefreshDeps> = {}) =>
  (await ask(token, changes)).refresh.token
/** What a page does that was just loaded with it. */
const arrives = async (token: string) => {
  await readSession(deps, token)
}
const row = () => deps.database.sessions[0]
const reuses = () => deps.database.logs.filter(({ type }) => type === 'REFRESH_REUSE')

describe('rotate', () => {
  beforeEach(async () => {
    const stores = memoryStores()
    deps = { ...stores, tokens: testTokens(keys, stores.clock) }
    deps.addUser({ username: 'alice', role: 'admin' })
    begun = await login(deps, { username: 'alice', password: PASSWORD, rotates: true, caller: CALLER })
    first = begun.refresh.token
  })

  it('goes from each generation to the next, in the same session', async () => {
    const second = await next(first)
    deps.clock.advance(60)
    const third = await next(second)

    const { iat, exp, jti, ...common } = payloadOf(first)
    expect([first, second, third].map((token) => payloadOf(token)['gen'])).to.deep.equal([0, 1, 2])
    expect(new Set([first, second, third].map((token) => payloadOf(token)['jti'])).size).to.equal(3)
    expect(payloadOf(third)).to.deep.include({ ...common, gen: 2 })
    expect([iat, exp, jti]).not.to.include(undefined)
    expect(row()).to.include({ generation: 2, endReason: null })
  })

  it('begins the time of the successor at the rotation', async () => {
    deps.clock.advance(1000.75)

    const { refresh: successor } = await ask(first)

    const iat = deps.clock.now()
    expect(payloadOf(successor.token)).to.include({ iat, exp: iat + deps.refreshTtlSeconds })
    expect(successor.exp).to.equal(iat + deps.refreshTtlSeconds)
    expect(row()).to.include({ rotatedAtMs: deps.clock.nowMs(), refreshJti: successor.jti })
  })

  it('brings an access token of the same session along, which does not outlive the successor', async () => {
    const { access, refresh: successor } = await ask(first)

    const claims = deps.tokens.verify(access.token)
    expect(claims).to.include({ token_type: 'access', sid: begun.sid, sub: begun.user.id, scope: 'admin' })
    expect(claims.exp).to.be.at.most(successor.exp)
  })

  it('signs successors that go on from there', async () => {
    let token = first
    for (let step = 0; step < 10; step++) token = await next(token)

    expect(payloadOf(token)['gen']).to.equal(10)
    expect(reuses()).to.deep.equal([])
  })

  it('writes no entry, and denies nothing', async () => {
    const logs = deps.database.logs.length

    await ask(first)

    expect(deps.database.logs).to.have.length(logs)
    expect(deps.database.revocations).to.deep.equal([])
    expect(deps.denylist.denials.size).to.equal(0)
  })

  describe('of a token that was used within the grace', () => {
    it('answers the same successor again, byte for byte, to the end of the grace', async () => {
      const second = await next(first)
      const again = []
      for (const seconds of [0, 1.5, deps.rotationGraceSeconds - 1.5]) {
        deps.clock.advance(seconds)
        again.push(await next(first))
      }

      expect(again).to.deep.equal([second, second, second])
      expect(row()).to.include({ generation: 1, endReason: null })
    })

    it('answers the same successor after a restart', async () => {
      const second = await next(first)
      deps.clock.advance(deps.rotationGraceSeconds)

      const restarted = testTokens(keys, deps.clock)
      const again = await next(first, { tokens: restarted })

      expect(again).to.equal(second)
    })

    it('answers the same successor when the settings have changed meanwhile', async () => {
      const second = await next(first)

      const again = await next(first, { refreshTtlSeconds: 60, sessionMaxAgeSeconds: 60 })

      expect(again).to.equal(second)
    })

    it('answers the same successor while the denylist is down or emptied', async () => {
      const second = await next(first)
      deps.denylist.empty()
      deps.denylist.isAnswering = false

      expect(await next(first)).to.equal(second)
    })

    it('keeps to the moment of the rotation: an answer given again makes the grace no longer', async () => {
      await arrives(await next(first))
      deps.clock.advance(deps.rotationGraceSeconds)
      await ask(first)
      deps.clock.advance(0.001)

      expect(await refusalOf(ask(first))).to.equal('token_denied')
    })
  })

  describe('of a token that was used up', () => {
    const expectEnded = async (live: string) => {
      expect(row()?.endReason).to.equal('refresh_reuse')
      expect(deps.denylist.denials.has(begun.sid)).to.equal(true)
      expect(await deps.journal.isDenied({ sid: begun.sid, jti: 'any' })).to.equal(true)
      expect(await refusalOf(ask(live))).to.equal('token_denied')
      expect(await refusalOf(refresh(deps, { token: live, caller: CALLER }))).to.equal('token_denied')
    }

    it('ends the session once the grace is over and its successor has arrived, for the successor too', async () => {
      const second = await next(first)
      await arrives(second)
      deps.clock.advance(deps.rotationGraceSeconds + 0.001)

      const answer = await refusalOf(ask(first))

      expect(answer).to.equal('token_denied')
      await expectEnded(second)
    })

    it('ends the session within the grace when it is older than the previous one', async () => {
      const second = await next(first)
      const third = await next(second)

      const answer = await refusalOf(ask(first))

      expect(answer).to.equal('token_denied')
      await expectEnded(third)
    })

    it('ends the session at once where there is no grace', async () => {
      const second = await next(first)
      await arrives(second)
      deps.clock.advance(0.001)

      const answer = await refusalOf(ask(first, { rotationGraceSeconds: 0 }))

      expect(answer).to.equal('token_denied')
      await expectEnded(second)
    })

    it('ends the session after a restart, with a denylist that lost everything', async () => {
      const second = await next(first)
      await arrives(second)
      deps.clock.advance(deps.rotationGraceSeconds + 1)
      deps.denylist.empty()

      const answer = await refusalOf(ask(first, { tokens: testTokens(keys, deps.clock) }))

      expect(answer).to.equal('token_denied')
      await expectEnded(second)
    })

    it('logs it once, however often that token is used', async () => {
      await arrives(await next(first))
      deps.clock.advance(deps.rotationGraceSeconds + 1)

      for (let use = 0; use < 3; use++) await refusalOf(ask(first))

      expect(reuses()).to.deep.equal([
        {
          type: 'REFRESH_REUSE',
          caller: CALLER,
          userId: begun.user.id,
          sessionId: begun.sid,
          message: 'generation 0, current 1',
        },
      ])
    })

    it('ends nothing for a caller who is gone, at any endpoint, and does for one who waits', async () => {
      const third = await next(await next(first))
      const ask = async (use: typeof refresh, isWaiting: boolean) =>
        await refusalOf(use(deps, { token: first, caller: { ...CALLER, isWaiting: () => isWaiting } }))

      for (const use of [refresh, refreshRotating]) expect(await ask(use, false)).to.equal('unavailable')
      expect(row()?.endReason).to.equal(null)
      expect(await ask(refresh, true)).to.equal('token_denied')
      await expectEnded(third)
    })

    it('asks whether the caller waits right before it ends the session, after the row was read', async () => {
      await next(await next(first))
      const events: string[] = []
      const sessions: Sessions = {
        ...deps.sessions,
        find: async (id) => {
          const session = await deps.sessions.find(id)
          events.push('read')
          return session
        },
        end: async (...parameters) => {
          events.push('end')
          return await deps.sessions.end(...parameters)
        },
      }
      const caller = { ...CALLER, isWaiting: () => events.push('asked') > 0 }

      await refusalOf(refreshRotating({ ...deps, sessions }, { token: first, caller }))

      expect(events).to.deep.equal(['read', 'asked', 'end'])
    })

    it('leaves the other sessions of the user on', async () => {
      const input = { username: 'alice', password: PASSWORD, rotates: true, caller: CALLER }
      const other = await login(deps, input)
      await ask(first)
      deps.clock.advance(deps.rotationGraceSeconds + 1)

      await refusalOf(ask(first))

      expect(await refusalOf(ask(other.refresh.token))).to.equal('resolved')
    })
  })

  describe('and the end of the session', () => {
    it('is never later than the greatest age of the session', async () => {
      let token = first
      const ends: unknown[] = []
      for (let day = 0; day < 30; day++) {
        deps.clock.advance(86_400 - 60)
        token = await next(token)
        ends.push(payloadOf(token)['exp'])
      }

      const last = begun.refresh.exp - deps.refreshTtlSeconds + deps.sessionMaxAgeSeconds
      expect(ends.at(-1)).to.equal(last)
      expect(Math.max(...(ends as number[]))).to.equal(last)
      deps.clock.advance(last - deps.clock.now() + deps.leewaySeconds)
      expect(await refusalOf(ask(token))).to.equal('token_expired')
    })

    it('gives no access token that is dead already: at the greatest age, within the leeway', async () => {
      const short = { sessionMaxAgeSeconds: deps.refreshTtlSeconds }
      deps.clock.advance(deps.refreshTtlSeconds - 1)
      const { access, refresh: second } = await ask(first, short)
      deps.clock.advance(1)

      expect(access.expiresIn).to.equal(1)
      for (const token of [first, second.token])
        expect(await refusalOf(ask(token, short))).to.equal('token_expired')
      expect(row()?.endReason).to.equal(null)
    })

    it('is moved on by a token within the leeway where the session may last longer', async () => {
      deps.clock.advance(deps.refreshTtlSeconds + 1)

      const { access, refresh: second } = await ask(first)

      expect(access.expiresIn).to.equal(300)
      expect(second.exp).to.equal(deps.clock.now() + deps.refreshTtlSeconds)
    })

    it('is never earlier than it was, when the settings get shorter', async () => {
      const short = { refreshTtlSeconds: 60, sessionMaxAgeSeconds: 60 }

      const { refresh: successor } = await ask(first, short)

      expect(successor.exp).to.equal(begun.refresh.exp)
      expect(payloadOf(successor.token)['exp']).to.equal(begun.refresh.exp)
    })

    it('is that of the row: no token of it is signed for longer', async () => {
      const { refresh: successor, access } = await ask(first, { sessionMaxAgeSeconds: 120 })

      expect(successor.exp * 1000).to.equal(row()?.expiresAtMs)
      expect(deps.tokens.verify(access.token).exp * 1000).to.be.at.most(row()?.expiresAtMs ?? 0)
    })
  })

  describe('of a session that is over', () => {
    it('is token_denied after a logout, for every token it ever had', async () => {
      const second = await next(first)
      await logout(deps, { refreshToken: second, caller: CALLER })

      const answers = [await refusalOf(ask(first)), await refusalOf(ask(second))]

      expect(answers).to.deep.equal(['token_denied', 'token_denied'])
      expect(row()?.endReason).to.equal('logout')
      expect(reuses()).to.deep.equal([])
    })

    it('is token_denied when a logout comes between the rotation that failed and the look at the row', async () => {
      await ask(first)
      const sessions: Sessions = {
        ...deps.sessions,
        find: async (id) => {
          await logout(deps, { refreshToken: first, caller: CALLER })
          return await deps.sessions.find(id)
        },
      }

      expect(await refusalOf(ask(first, { sessions }))).to.equal('token_denied')
    })

    it('is token_denied when its row is lost', async () => {
      deps.database.sessions.length = 0

      expect(await refusalOf(ask(first))).to.equal('token_denied')
    })

    it('is token_expired in words of its own', async () => {
      deps.clock.advance(deps.refreshTtlSeconds + deps.leewaySeconds)

      expect(await refusalOf(ask(first))).to.equal('token_expired')
    })
  })

  describe('with many callers at once', () => {
    it('makes one generation of fifty calls, and gives each the same successor', async () => {
      const calls = Array.from({ length: 50 }, async () => await next(first))

      const successors = await Promise.all(calls)

      expect(new Set(successors).size).to.equal(1)
      expect(row()).to.include({ generation: 1, endReason: null })
    })

    it('gives no token that lives on when a logout comes in between', async () => {
      const calls = Array.from({ length: 10 }, async () => await ask(first).catch(() => null))
      const ended = logout(deps, { refreshToken: first, caller: CALLER })
      const answers = await Promise.all(calls)
      await ended

      for (const answer of answers) {
        if (answer) expect(await refusalOf(ask(answer.refresh.token))).to.equal('token_denied')
      }
      expect(await refusalOf(ask(first))).to.equal('token_denied')
    })
  })

  describe('while something is down', () => {
    it('is unavailable without the store of sessions, and the token is good when it is back', async () => {
      deps.database.isAnswering = false
      const answer = await refusalOf(ask(first))
      deps.database.isAnswering = true

      expect(answer).to.equal('unavailable')
      expect(payloadOf(await next(first))['gen']).to.equal(1)
    })

    it('is unavailable, and ends nothing, when the row contradicts itself', async () => {
      const sessions: Sessions = { ...deps.sessions, rotate: async () => await Promise.resolve(null) }

      expect(await refusalOf(ask(first, { sessions }))).to.equal('unavailable')
      expect(row()?.endReason).to.equal(null)
    })
  })

  for (const { what, code, token } of [
    { what: 'an access token', code: 'token_wrong_type', token: () => begun.access.token },
    { what: 'garbage', code: 'token_invalid', token: () => 'garbage' },
  ]) {
    it(`is ${code} for ${what}`, async () => {
      expect(await refusalOf(ask(token()))).to.equal(code)
      expect(row()?.generation).to.equal(0)
    })
  }
})
