// Refresh: one question to the denylist, none to Postgres while that can tell; a token with a generation is judged by the row.
import { expect } from 'chai'
import type { BegunSession } from '../../../../src/auth/sessions/begin-session.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import type { Journal } from '../../../../src/auth/ports/denials.ts'
import type { Sessions } from '../../../../src/auth/ports/sessions.ts'
import { refresh, refreshRotating, type RefreshDeps } from '../../../../src/auth/sessions/refresh.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

let deps: MemoryStores
let begun: BegunSession

const begin = async (rotates: boolean) => {
  deps = memoryStores()
  deps.addUser({ username: 'alice', role: 'admin' })
  begun = await login(deps, { username: 'alice', password: PASSWORD, rotates, caller: CALLER })
}
const ask = async (token = begun.refresh.token, changes: Partial<RefreshDeps> = {}) =>
  await refresh({ ...deps, ...changes }, { token, caller: CALLER })

describe('refresh', () => {
  beforeEach(async () => {
    await begin(false)
  })

  it('signs an access token of the same session, user and scope', async () => {
    const before = deps.tokens.verify(begun.access.token)
    deps.clock.advance(60)

    const { access } = await ask()

    const after = deps.tokens.verify(access.token)
    expect(access.expiresIn).to.equal(300)
    expect(after.jti).not.to.equal(before.jti)
    expect({ ...after, jti: before.jti }).to.deep.equal({
      ...before,
      iat: before.iat + 60,
      exp: before.exp + 60,
    })
  })

  it('tells whose refresh token it was', async () => {
    const { claims } = await ask()

    expect(claims).to.deep.equal(deps.tokens.verify(begun.refresh.token))
  })

  it('asks the denylist once, and the store of sessions nothing', async () => {
    deps.database.isAnswering = false

    await ask(begun.refresh.token, { sessions: untouchable() })

    expect(deps.denylist.checks).to.equal(1)
  })

  it('asks the store of sessions nothing either when the denylist cannot tell', async () => {
    deps.denylist.isTrusted = false

    expect(await refusalOf(ask(begun.refresh.token, { sessions: untouchable() }))).to.equal('resolved')
  })

  it('leaves the refresh token as it is', async () => {
    expect((await ask()).refresh).to.equal(null)
    expect(deps.database.sessions[0]).to.include({ generation: 0 })
  })

  it('signs nothing that outlives the refresh token', async () => {
    const { exp } = deps.tokens.verify(begun.refresh.token)
    deps.clock.advance(86_400 - 10)

    const { access } = await ask()

    expect(deps.tokens.verify(access.token).exp).to.equal(exp)
    expect(access.expiresIn).to.equal(10)
  })

  it('is token_wrong_type for an access token', async () => {
    expect(await refusalOf(ask(begun.access.token))).to.equal('token_wrong_type')
  })

  it('is token_expired once the leeway after its end is over', async () => {
    deps.clock.advance(86_400 + 5)

    expect(await refusalOf(ask())).to.equal('token_expired')
  })

  it('is token_expired within the leeway: its access token would be dead already', async () => {
    deps.clock.advance(86_400 - 1)
    const last = await ask()
    deps.clock.advance(1)

    expect(last.access.expiresIn).to.equal(1)
    for (let second = 0; second < 5; second++) {
      expect(await refusalOf(ask()), String(second)).to.equal('token_expired')
      deps.clock.advance(1)
    }
  })

  it('is token_denied, not token_expired, within the leeway for a session that is over', async () => {
    await deps.denylist.deny([{ id: begun.sid, ttlMs: 999_999_999 }])
    deps.clock.advance(86_400)

    expect(await refusalOf(ask())).to.equal('token_denied')
  })

  it('is token_invalid for garbage, without a question to anybody', async () => {
    expect(await refusalOf(ask('garbage'))).to.equal('token_invalid')
    expect(deps.denylist.checks).to.equal(0)
  })

  it('asks the journal when the denylist cannot tell', async () => {
    deps.denylist.isTrusted = false
    const asked: object[] = []
    const journal: Journal = {
      ...deps.journal,
      isDenied: async (ids) => {
        asked.push(ids)
        return await deps.journal.isDenied(ids)
      },
    }

    const answer = await refusalOf(ask(begun.refresh.token, { journal }))

    const { sid, jti } = deps.tokens.verify(begun.refresh.token)
    expect(answer).to.equal('resolved')
    expect(asked).to.have.length(1)
    expect(asked[0]).to.include({ sid, jti })
  })

  it('is unavailable when neither can tell', async () => {
    deps.denylist.isTrusted = false
    deps.database.isAnswering = false

    expect(await refusalOf(ask())).to.equal('unavailable')
  })
})

describe('refresh of a token with a generation, by a service that does not rotate', () => {
  beforeEach(async () => {
    await begin(true)
  })

  const rotated = async (token: string) =>
    (await refreshRotating(deps, { token, caller: CALLER })).refresh.token

  it('rotates it all the same, and brings its successor along', async () => {
    const current = await rotated(begun.refresh.token)

    const { access, refresh: successor } = await ask(current)

    expect(deps.tokens.verify(access.token)).to.include({ sid: begun.sid, token_type: 'access' })
    expect(deps.tokens.verify(successor?.token ?? '')).to.include({ sid: begun.sid, gen: 2 })
    expect(deps.database.sessions[0]).to.include({ generation: 2, endReason: null })
  })

  it('brings the very same successor to the previous one, within the grace and once late', async () => {
    const current = await rotated(begun.refresh.token)
    deps.clock.advance(deps.rotationGraceSeconds)
    const inGrace = await ask()
    deps.clock.advance(1)
    const late = await ask()

    expect([inGrace.refresh?.token, late.refresh?.token]).to.deep.equal([current, current])
  })

  it('takes one that the row has lost, and the row goes up to it', async () => {
    const current = await rotated(begun.refresh.token)
    const [session] = deps.database.sessions
    if (session) Object.assign(session, { generation: 0, rotatedAtMs: null })

    await ask(current)

    expect(session).to.include({ generation: 2, endReason: null })
  })

  it('asks the denylist, for ends that the row may have lost, once', async () => {
    await ask()

    expect(deps.denylist.checks).to.equal(1)
  })

  it('is token_denied when the denylist knows of an end that the row has lost', async () => {
    await deps.denylist.deny([{ id: begun.sid, ttlMs: 60_000 }])

    expect(await refusalOf(ask())).to.equal('token_denied')
  })

  it('is token_denied for one that was used up, and ends the session of its successor', async () => {
    const current = await rotated(await rotated(begun.refresh.token))

    const answers = [await refusalOf(ask()), await refusalOf(ask(current))]

    expect(answers).to.deep.equal(['token_denied', 'token_denied'])
    expect(deps.database.sessions[0]?.endReason).to.equal('refresh_reuse')
    expect(deps.denylist.denials.has(begun.sid)).to.equal(true)
  })

  it('is token_denied when the session is over, while the denylist does not know yet', async () => {
    const [session] = deps.database.sessions
    if (session) session.endReason = 'logout'

    expect(await refusalOf(ask())).to.equal('token_denied')
  })

  it('is unavailable when the row cannot be read, though the denylist answers', async () => {
    deps.database.isAnswering = false

    expect(await refusalOf(ask())).to.equal('unavailable')
  })
})

/** A store of sessions that fails the test when anything is asked of it. */
function untouchable(): Sessions {
  return new Proxy({} as Sessions, {
    get: (_, name) => {
      throw new TypeError(`sessions.${String(name)} was asked`)
    },
  })
}
