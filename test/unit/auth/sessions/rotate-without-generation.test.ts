// Rotation of refresh tokens from a time when their service did not rotate.
import { expect } from 'chai'
import type { BegunSession } from '../../../../src/auth/sessions/begin-session.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import { readSession } from '../../../../src/auth/sessions/read-session.ts'
import { refresh, refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { payloadOf } from '../../../support/builders/forged-token.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('rotate of a token without a generation', () => {
  let deps: MemoryStores
  let begun: BegunSession
  let first: string

  beforeEach(async () => {
    deps = memoryStores()
    deps.addUser({ username: 'alice' })
    begun = await login(deps, { username: 'alice', password: PASSWORD, rotates: false, caller: CALLER })
    first = begun.refresh.token
  })

  const ask = async (token: string) => await refreshRotating(deps, { token, caller: CALLER })
  const next = async (token: string) => (await ask(token)).refresh.token
  const asBefore = async (token: string) => await refusalOf(refresh(deps, { token, caller: CALLER }))

  it('takes it for the first of its session', async () => {
    expect(payloadOf(await next(first))['gen']).to.equal(1)
  })

  it('retires it: where rotation is off it is used up too', async () => {
    const second = await next(first)
    const third = await next(second)

    const answers = [await asBefore(first), await asBefore(third)]

    expect(answers).to.deep.equal(['token_denied', 'token_denied'])
    expect(deps.database.sessions[0]?.endReason).to.equal('refresh_reuse')
  })

  it('denies it by its own id, until its time and the leeway are over', async () => {
    deps.clock.advance(100)
    await ask(first)

    const { sid, jti } = deps.tokens.verify(first)
    const untilMs = (begun.refresh.exp + deps.leewaySeconds) * 1000
    expect([...deps.denylist.denials]).to.deep.equal([[`${sid}:${jti}`, untilMs]])
    expect(await deps.journal.isDenied({ sid, jti })).to.equal(true)
    expect(await deps.journal.isDenied({ sid, jti: 'another' })).to.equal(false)
  })

  it('stays retired after the denylist was emptied', async () => {
    await next(await next(first))

    deps.denylist.empty()

    expect(await asBefore(first)).to.equal('token_denied')
  })

  it('answers the same successor within the grace all the same', async () => {
    const second = await next(first)
    deps.clock.advance(deps.rotationGraceSeconds)

    expect(await next(first)).to.equal(second)
  })

  it('answers the same successor late, once, if that never arrived', async () => {
    const second = await next(first)
    deps.clock.advance(deps.rotationGraceSeconds + 1)
    const late = await next(first)
    deps.clock.advance(deps.rotationGraceSeconds + 1)

    expect(late).to.equal(second)
    expect(await refusalOf(ask(first))).to.equal('token_denied')
  })

  it('ends the session when it is used after the grace and its successor has arrived', async () => {
    const second = await next(first)
    await readSession(deps, second)
    deps.clock.advance(deps.rotationGraceSeconds + 1)

    const answers = [await refusalOf(ask(first)), await refusalOf(ask(second))]

    expect(answers).to.deep.equal(['token_denied', 'token_denied'])
    expect(deps.database.sessions[0]?.endReason).to.equal('refresh_reuse')
  })

  it('leaves the access tokens of the session good', async () => {
    const { access } = await ask(first)

    const { sid, jti } = deps.tokens.verify(access.token)
    expect(await deps.denylist.check({ sid, jti })).to.equal('live')
  })
})
