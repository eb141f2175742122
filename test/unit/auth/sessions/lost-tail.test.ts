// A database that failed over to a replica which lagged: what its last seconds held is known elsewhere, and holds.
import { expect } from 'chai'
import type { BegunSession } from '../../../../src/auth/sessions/begin-session.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import { logout } from '../../../../src/auth/sessions/logout.ts'
import { logoutEither } from '../../../../src/auth/sessions/logout-either.ts'
import { readSession } from '../../../../src/auth/sessions/read-session.ts'
import { refresh, refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { verifyToken } from '../../../../src/auth/tokens/verify-token.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { payloadOf } from '../../../support/builders/forged-token.ts'
import { loseEndInMemory } from '../../../support/fakes/memory-database.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('after a database has lost its last seconds', () => {
  let deps: MemoryStores
  let begun: BegunSession

  const begin = async (rotates: boolean) => {
    deps = memoryStores()
    deps.addUser({ username: 'alice' })
    begun = await login(deps, { username: 'alice', password: PASSWORD, rotates, caller: CALLER })
  }
  const next = async (token: string) => (await refreshRotating(deps, { token, caller: CALLER })).refresh.token
  const rotation = async (token: string) => await refusalOf(next(token))
  const logOut = async () =>
    await refusalOf(logout(deps, { refreshToken: begun.refresh.token, caller: CALLER }))
  const row = () => deps.database.sessions[0]

  describe('with a logout in them', () => {
    for (const rotates of [true, false]) {
      const kind = rotates ? 'a rotating session' : 'a session that does not rotate'

      it(`refuses every use of the tokens of ${kind}, by what the denylist knows`, async () => {
        await begin(rotates)
        await logOut()
        loseEndInMemory(deps.database, begun.sid)

        const token = begun.refresh.token
        const answers = [
          await rotation(token),
          await refusalOf(refresh(deps, { token, caller: CALLER })),
          await refusalOf(readSession(deps, token)),
          await refusalOf(verifyToken(deps, token)),
          await refusalOf(verifyToken(deps, begun.access.token)),
        ]

        expect(new Set(answers)).to.deep.equal(new Set(['token_denied']))
      })

      it(`ends ${kind} a second time, durably, and not a third time`, async () => {
        await begin(rotates)
        await logOut()
        loseEndInMemory(deps.database, begun.sid)

        const answers = [await logOut(), await logOut()]

        expect(answers).to.deep.equal(['resolved', 'token_denied'])
        expect(row()?.endReason).to.equal('logout')
        expect(await deps.journal.isDenied({ sid: begun.sid, jti: 'any' })).to.equal(true)
      })

      it(`ends ${kind} a second time where its row is lost, too`, async () => {
        await begin(rotates)
        await logOut()
        deps.database.sessions.length = 0
        deps.database.revocations.length = 0

        const answers = [await logOut(), await logOut()]

        expect(answers).to.deep.equal(['resolved', 'token_denied'])
        expect(await deps.journal.isDenied({ sid: begun.sid, jti: 'any' })).to.equal(true)
      })
    }

    it('refuses the token that was replaced, too, within its grace', async () => {
      await begin(true)
      const second = await next(begun.refresh.token)
      await logOut()
      loseEndInMemory(deps.database, begun.sid)

      expect([await rotation(begun.refresh.token), await rotation(second)]).to.deep.equal([
        'token_denied',
        'token_denied',
      ])
    })

    it('refuses where the denylist knows it and the database does not answer', async () => {
      await begin(true)
      await logOut()
      deps.database.isAnswering = false

      expect(await rotation(begun.refresh.token)).to.equal('token_denied')
    })
  })

  describe('with a rotation in them', () => {
    let [first, second] = ['', '']

    beforeEach(async () => {
      await begin(true)
      first = begun.refresh.token
      second = await next(first)
      const [session] = deps.database.sessions
      if (session) Object.assign(session, { generation: 0, rotatedAtMs: null })
      deps.clock.advance(60)
    })

    it('takes the newest token, and the row with it', async () => {
      const third = await next(second)

      expect(payloadOf(third)['gen']).to.equal(2)
      expect(row()).to.include({ generation: 2, endReason: null })
    })

    it('takes the newest token at every reading, and leaves the row as it is', async () => {
      const answers = [await refusalOf(readSession(deps, second)), await refusalOf(verifyToken(deps, second))]

      expect(new Set(answers)).to.deep.equal(new Set(['resolved']))
      expect(row()).to.include({ generation: 0, endReason: null })
    })

    it('takes the newest token where rotation is off, and the row with it', async () => {
      const { refresh: third } = await refresh(deps, { token: second, caller: CALLER })

      expect(payloadOf(third?.token ?? '')['gen']).to.equal(2)
      expect(row()).to.include({ generation: 2, endReason: null })
    })

    it('judges the newest token as the previous one once it is replaced', async () => {
      const third = await next(second)
      deps.clock.advance(deps.rotationGraceSeconds)
      const again = await next(second)
      await readSession(deps, third)
      deps.clock.advance(1)

      expect(again).to.equal(third)
      expect(await rotation(second)).to.equal('token_denied')
      expect(row()?.endReason).to.equal('refresh_reuse')
    })

    it('finds a reuse in the token that the newest one had replaced, once the row has gone up', async () => {
      const third = await next(second)

      const answers = [await rotation(first), await rotation(third)]

      expect(answers).to.deep.equal(['token_denied', 'token_denied'])
      expect(row()?.endReason).to.equal('refresh_reuse')
    })

    it('lets only one of two tokens of one generation go on, to one successor in the grace', async () => {
      const twin = await next(first)

      const successors = [await next(second), await next(twin)]
      await readSession(deps, successors[0] ?? '')
      deps.clock.advance(deps.rotationGraceSeconds + 1)

      expect(new Set(successors).size).to.equal(1)
      expect(row()).to.include({ generation: 2, endReason: null })
      expect(await rotation(twin)).to.equal('token_denied')
    })

    it('makes one generation of fifty calls with the newest token', async () => {
      const calls = Array.from({ length: 50 }, async () => await next(second))

      expect(new Set(await Promise.all(calls)).size).to.equal(1)
      expect(row()).to.include({ generation: 2, endReason: null })
    })

    it('takes a token without a generation again, which the denylist knows to be replaced', async () => {
      await begin(false)
      await next(begun.refresh.token)
      const [session] = deps.database.sessions
      if (session) Object.assign(session, { generation: 0, rotatedAtMs: null })
      deps.database.revocations.length = 0

      expect(payloadOf(await next(begun.refresh.token))['gen']).to.equal(1)
    })
  })

  describe('with the beginning of the session in them', () => {
    beforeEach(async () => {
      await begin(true)
      deps.database.sessions.length = 0
    })

    const everywhere = async () => {
      const tokens = { accessToken: begun.access.token, refreshToken: null }
      return await refusalOf(logoutEither(deps, { ...tokens, scope: 'all', caller: CALLER }))
    }

    it('ends it when all devices are meant, and there is no other', async () => {
      expect([await everywhere(), await everywhere()]).to.deep.equal(['resolved', 'resolved'])
      expect(await deps.journal.isDenied({ sid: begun.sid, jti: 'any' })).to.equal(true)
      expect(await refusalOf(verifyToken(deps, begun.access.token))).to.equal('token_denied')
    })

    it('is no success when all devices are meant, and others are on', async () => {
      await login(deps, { username: 'alice', password: PASSWORD, rotates: true, caller: CALLER })

      expect(await everywhere()).to.equal('token_denied')
      expect(deps.database.revocations).to.deep.equal([])
    })
  })
})
