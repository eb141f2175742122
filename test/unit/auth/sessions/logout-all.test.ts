// The logout of all devices: every session of one user, and of nobody else.
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import type { BegunSession } from '../../../../src/auth/sessions/begin-session.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import {
  endAllSessions,
  endOtherSessions,
  endSession,
  type EndSessionDeps,
} from '../../../../src/auth/sessions/end-session.ts'
import type { Denial } from '../../../../src/auth/ports/denials.ts'
import { refresh } from '../../../../src/auth/sessions/refresh.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

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
    await login(deps, { username, password: PASSWORD, rotates, caller: CALLER })
  const ask = async (token = devices[0].refresh.token, changes: Partial<EndSessionDeps> = {}) => {
    const ending = { claims: deps.tokens.verify(token), caller: CALLER }
    await endAllSessions({ ...deps, ...changes }, ending)
  }
  const refreshed = async ({ refresh: { token } }: BegunSession) =>
    await refusalOf(refresh(deps, { token, caller: CALLER }))
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
        caller: CALLER,
        userId: devices[1].user.id,
        sessionId: devices[1].sid,
        message: 'all devices',
      },
    ])
  })

  it('is token_denied, and ends nothing, when the session that asks is over', async () => {
    await endSession(deps, { claims: deps.tokens.verify(devices[0].refresh.token), caller: CALLER })
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

  describe('of more sessions than end at once', () => {
    let all: BegunSession[]

    beforeEach(async () => {
      deps.database.batchSessions = 2
      all = [...devices, await logIn('alice'), await logIn('alice')]
    })

    /** Sessions whose calls reject from that one on. */
    const failingAfter = (calls: number): EndSessionDeps['sessions'] => ({
      ...deps.sessions,
      endAll: async (asking, entry) => {
        deps.database.isAnswering = calls-- > 0
        return await deps.sessions.endAll(asking, entry)
      },
    })

    it('ends all of them, the one that asks last, with one entry', async () => {
      const order: string[] = []
      const denylist = {
        ...deps.denylist,
        deny: async (denials: Denial[]) => {
          order.push(...denials.map(({ id }) => id))
          await deps.denylist.deny(denials)
        },
      }
      const logs = deps.database.logs.length

      await ask(devices[0].refresh.token, { denylist })

      expect(endReasons()).to.deep.equal(Array(5).fill('logout_all'))
      expect(order).to.have.members(all.map(({ sid }) => sid))
      expect(order.at(-1)).to.equal(devices[0].sid)
      expect(deps.database.logs).to.have.length(logs + 1)
    })

    it('is unavailable where it fails in the middle, and is done when the same is asked again', async () => {
      const answer = await refusalOf(ask(devices[0].refresh.token, { sessions: failingAfter(1) }))
      deps.database.isAnswering = true
      const between = endReasons()
      await ask()

      expect(answer).to.equal('unavailable')
      expect(between.filter((reason) => reason === null)).to.have.length(3)
      expect(between[0]).to.equal(null)
      expect(endReasons()).to.deep.equal(Array(5).fill('logout_all'))
    })

    it('ends the others all the same where somebody else ends the one that asks meanwhile', async () => {
      const claims = deps.tokens.verify(devices[0].refresh.token)
      const sessions = {
        ...deps.sessions,
        endAll: async (...input: Parameters<typeof deps.sessions.endAll>) => {
          const batch = await deps.sessions.endAll(...input)
          await refusalOf(endSession(deps, { claims, caller: CALLER }))
          return batch
        },
      }

      await ask(devices[0].refresh.token, { sessions })

      expect(endReasons()).not.to.include(null)
    })

    it('ends the others and leaves the one that asks, with one entry', async () => {
      const logs = deps.database.logs.length

      await endOtherSessions(deps, { claims: deps.tokens.verify(devices[0].refresh.token), caller: CALLER })

      expect(endReasons()).to.deep.equal([null, ...Array<string>(4).fill('logout_all')])
      expect([...deps.denylist.denials.keys()]).to.have.members(all.slice(1).map(({ sid }) => sid))
      expect(deps.database.logs).to.have.length(logs + 1)
    })
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
