// The logout of all devices: every session of one user, and of nobody else.
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import type { BegunSession } from '../../../src/auth/begin-session.ts'
import { login } from '../../../src/auth/login.ts'
import { endAllSessions, endSession, type EndSessionDeps } from '../../../src/auth/end-session.ts'
import type { Denial } from '../../../src/auth/ports/denials.ts'
import { refresh } from '../../../src/auth/refresh.ts'
import { ORIGIN } from '../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../support/refusal-of.ts'

describe('endAllSessions', () => {
  let deps: MemoryStores
  let devices: [BegunSession, BegunSession, BegunSession]

  beforeEach(async () => {
    deps = memoryStores()
    deps.addUser({ username: 'alice' })
    deps.addUser({ username: 'bob' })
    devices = [await logIn('alice'), await logIn('alice', true), await logIn('alice')]
  })

  const logIn = async (username: string, rotates = false) =>
    await login(deps, { username, password: PASSWORD, rotates, origin: ORIGIN })
  const ask = async (token = devices[0].refresh.token, changes: Partial<EndSessionDeps> = {}) => {
    const ending = { claims: deps.tokens.verify(token), origin: ORIGIN }
    await endAllSessions({ ...deps, ...changes }, ending)
  }
  const refreshed = async ({ refresh: { token } }: BegunSession) =>
    await refusalOf(refresh(deps, { token, origin: ORIGIN }))
  const endReasons = () => deps.database.sessions.map(({ endReason }) => endReason)

  it('ends every session of the user, that of the caller included', async () => {
    await ask()

    expect(endReasons()).to.deep.equal(['logout_all', 'logout_all', 'logout_all'])
    const answers = await Promise.all(devices.map(refreshed))
    expect(answers).to.deep.equal(['token_denied', 'token_denied', 'token_denied'])
  })

  it('is the same with an access token', async () => {
    await ask(devices[1].access.token)

    expect(endReasons()).to.deep.equal(['logout_all', 'logout_all', 'logout_all'])
  })

  it('leaves the sessions of others alone', async () => {
    const bob = await logIn('bob')

    await ask()

    expect(await refreshed(bob)).to.equal('resolved')
  })

  it('leaves sessions that begin later alone', async () => {
    await ask()

    expect(await refreshed(await logIn('alice'))).to.equal('resolved')
  })

  it('tells the denylist of each, once the journal has them, for as long as each could live', async () => {
    const told: { denials: Denial[]; journal: number }[] = []
    const denylist = {
      ...deps.denylist,
      deny: async (denials: Denial[]) => {
        told.push({ denials, journal: deps.database.revocations.length })
        await deps.denylist.deny(denials)
      },
    }
    deps.clock.advance(100)

    await ask(devices[0].refresh.token, { denylist })

    const ttlMs = (deps.refreshTtlSeconds - 100 + deps.leewaySeconds) * 1000
    expect(told).to.deep.equal([{ denials: devices.map(({ sid }) => ({ id: sid, ttlMs })), journal: 3 }])
  })

  it('holds after the denylist was emptied', async () => {
    await ask()

    deps.denylist.empty()

    const answers = await Promise.all(devices.map(refreshed))
    expect(answers).to.deep.equal(['token_denied', 'token_denied', 'token_denied'])
  })

  it('writes one entry for all of them, of the session that asked', async () => {
    const before = deps.database.logs.length

    await ask(devices[1].refresh.token)

    expect(deps.database.logs.slice(before)).to.deep.equal([
      {
        type: 'USER_LOGOUT',
        origin: ORIGIN,
        userId: devices[1].user.id,
        sessionId: devices[1].sid,
        message: 'all devices',
      },
    ])
  })

  it('is token_denied, and ends nothing, when the session that asks is over', async () => {
    await endSession(deps, { claims: deps.tokens.verify(devices[0].refresh.token), origin: ORIGIN })
    const logs = deps.database.logs.length

    const answer = await refusalOf(ask())

    expect(answer).to.equal('token_denied')
    expect(endReasons()).to.deep.equal(['logout', null, null])
    expect(deps.database.logs).to.have.length(logs)
  })

  it('lets one of twenty racing callers succeed', async () => {
    const calls = Array.from(
      { length: 20 },
      async (_, index) => await refusalOf(ask(devices[index % 3]?.refresh.token)),
    )

    const answers = await Promise.all(calls)

    expect(answers.filter((answer) => answer === 'resolved')).to.have.length(1)
    expect(answers.filter((answer) => answer === 'token_denied')).to.have.length(19)
  })

  it('is unavailable while the journal cannot be written, and the denylist hears of that session at least', async () => {
    const [{ sid }] = devices
    deps.database.isAnswering = false

    const answer = await refusalOf(ask())

    expect(answer).to.equal('unavailable')
    expect(await deps.denylist.check({ sid, jti: uuidv4() })).to.equal('denied')
    expect([...deps.denylist.denials.keys()]).to.deep.equal([sid])
  })
})
