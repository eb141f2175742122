// Whose session it is: told by the refresh token, which is not used up by it.
import { expect } from 'chai'
import type { BegunSession } from '../../../../src/auth/sessions/begin-session.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import { logout } from '../../../../src/auth/sessions/logout.ts'
import { readSession } from '../../../../src/auth/sessions/read-session.ts'
import { refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('readSession', () => {
  let deps: MemoryStores
  let begun: BegunSession

  beforeEach(async () => {
    deps = memoryStores()
    deps.addUser({ username: 'Alice', role: 'admin' })
    const input = { username: 'alice', password: PASSWORD, rotates: true, caller: CALLER }
    begun = await login(deps, input)
  })

  const ask = async (token = begun.refresh.token) => await readSession(deps, token)
  const rotated = async (token: string) =>
    (await refreshRotating(deps, { token, caller: CALLER })).refresh.token

  it('resolves to the user and the session, and to nothing else of either', async () => {
    const createdAt = deps.clock.now()
    deps.clock.advance(60)

    const read = await ask()

    expect(read).to.deep.equal({
      user: { id: begun.user.id, username: 'Alice', role: 'admin' },
      session: { id: begun.sid, createdAt, expiresAt: createdAt + deps.refreshTtlSeconds },
    })
  })

  it('tells the role of now, not that of the token', async () => {
    for (const user of deps.database.users) user.role = 'user'

    expect((await ask()).user.role).to.equal('user')
  })

  it('uses no token up, however often it is asked', async () => {
    for (let time = 0; time < 3; time++) await ask()

    expect(deps.database.sessions[0]).to.include({ generation: 0, rotatedAtMs: null, endReason: null })
    expect(await refusalOf(rotated(begun.refresh.token))).to.equal('resolved')
  })

  it('tells the end that a rotation has moved', async () => {
    deps.clock.advance(600)
    const current = await rotated(begun.refresh.token)

    const { session } = await ask(current)

    expect(session.expiresAt).to.equal(deps.clock.now() + deps.refreshTtlSeconds)
  })

  it('resolves for the token that was just replaced, within the grace', async () => {
    await rotated(begun.refresh.token)
    deps.clock.advance(deps.rotationGraceSeconds)

    expect(await refusalOf(ask())).to.equal('resolved')
  })

  it('is token_denied for a token that was used up, and leaves the session on, however often it is asked', async () => {
    const second = await rotated(begun.refresh.token)
    const third = await rotated(second)
    deps.clock.advance(deps.rotationGraceSeconds + 1)
    const logs = deps.database.logs.length

    const answers = [await refusalOf(ask()), await refusalOf(ask(third)), await refusalOf(ask(second))]

    expect(answers).to.deep.equal(['token_denied', 'resolved', 'token_denied'])
    expect(deps.database.sessions[0]?.endReason).to.equal(null)
    expect(deps.database.logs).to.have.length(logs)
  })

  it('resolves for one that a refresh would take late: its page needs what this answers for that refresh', async () => {
    await rotated(begun.refresh.token)
    deps.clock.advance(deps.rotationGraceSeconds + 1)

    expect([await refusalOf(ask()), await refusalOf(rotated(begun.refresh.token))]).to.deep.equal([
      'resolved',
      'resolved',
    ])
  })

  it('tells the row that the current token has arrived: the one before has no late replay any more', async () => {
    const current = await rotated(begun.refresh.token)
    deps.clock.advance(deps.rotationGraceSeconds + 1)

    await ask(current)

    expect(await refusalOf(rotated(begun.refresh.token))).to.equal('token_denied')
    expect(deps.database.sessions[0]?.endReason).to.equal('refresh_reuse')
  })

  it('says nothing of the current token when it is asked with the one before', async () => {
    const current = await rotated(begun.refresh.token)
    await ask()
    deps.clock.advance(deps.rotationGraceSeconds + 1)
    await refusalOf(ask())

    expect(await rotated(begun.refresh.token)).to.equal(current)
  })

  it('is token_denied when the session is over', async () => {
    await logout(deps, { refreshToken: begun.refresh.token, caller: CALLER })

    expect(await refusalOf(ask())).to.equal('token_denied')
  })

  it('is token_denied when the denylist knows of an end that the row has lost', async () => {
    await deps.denylist.deny([{ id: begun.sid, ttlMs: 60_000 }])

    expect(await refusalOf(ask())).to.equal('token_denied')
  })

  it('is token_denied when the user is gone', async () => {
    deps.database.users.length = 0

    expect(await refusalOf(ask())).to.equal('token_denied')
  })

  it('is token_wrong_type for an access token, and token_invalid for garbage', async () => {
    expect(await refusalOf(ask(begun.access.token))).to.equal('token_wrong_type')
    expect(await refusalOf(ask('garbage'))).to.equal('token_invalid')
  })

  it('is token_expired once the leeway after its end is over', async () => {
    deps.clock.advance(deps.refreshTtlSeconds + deps.leewaySeconds)

    expect(await refusalOf(ask())).to.equal('token_expired')
  })

  it('is unavailable when the store cannot be read', async () => {
    deps.database.isAnswering = false

    expect(await refusalOf(ask())).to.equal('unavailable')
  })
})
