// What every store of sessions must do when they end: one, one of a list, or all.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import type { NewSession } from '../../src/auth/ports/sessions.ts'
import { logEntry, CALLER } from '../support/builders/account.ts'
import { allEnded, othersEnded } from '../support/builders/ended-sessions.ts'
import {
  ending,
  idsOf,
  isDenied,
  logOut,
  storedSession,
  storedUser,
} from '../support/builders/stored-session.ts'
import { CLOCK_TOLERANCE_MS, type CreateStore, type StoreSubject } from './store-subject.ts'

const LOGOUT = logEntry('USER_LOGOUT')
const REVOCATION = logEntry('SESSION_REVOKED')

export function sessionEndsConformance(name: string, create: CreateStore): void {
  describe(`${name} as Sessions that end`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    describe('end', () => {
      it('denies the session in the journal, with one entry that names user and session', async () => {
        const user = await storedUser(store)
        const session = await storedSession(store, user)

        await logOut(store, session)

        expect(await isDenied(store, session.id)).to.equal(true)
        expect((await store.entries()).at(-1)).to.deep.equal({
          type: 'USER_LOGOUT',
          userId: user.id,
          sessionId: session.id,
          ...CALLER,
          message: null,
        })
      })

      it('denies for what is left of the session and the leeway', async () => {
        const session = await storedSession(store, await storedUser(store), 600)

        const denial = await store.sessions.end(
          ending(session, { expiresAt: session.expiresAt - 300 }),
          LOGOUT,
        )

        const expectedMs = (600 + store.leewaySeconds) * 1000
        expect(denial?.id).to.equal(session.id)
        expect(denial?.ttlMs).to.be.closeTo(expectedMs, CLOCK_TOLERANCE_MS)
      })

      it('is null for a session that is over, and writes nothing', async () => {
        const session = await storedSession(store, await storedUser(store))
        await logOut(store, session)
        const before = await store.entries()

        const again = await logOut(store, session)

        expect(again).to.equal(null)
        expect(await store.entries()).to.deep.equal(before)
      })

      it('lets one of twenty racing callers win, and writes one entry', async () => {
        const session = await storedSession(store, await storedUser(store))

        await expectOneWinner(session)
      })

      it('leaves the other sessions of the user alone', async () => {
        const user = await storedUser(store)
        const [ended, other] = [await storedSession(store, user), await storedSession(store, user)]

        await logOut(store, ended)

        expect(await isDenied(store, other.id)).to.equal(false)
        expect(await logOut(store, other)).to.include({ id: other.id })
      })

      it('denies it again where it is over, and its denial is lost', async () => {
        const session = await storedSession(store, await storedUser(store), 600)
        await logOut(store, session)
        await store.loseDenial(session.id)

        const again = await logOut(store, session)

        expect(again?.id).to.equal(session.id)
        expect(again?.ttlMs).to.be.closeTo((600 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
        expect(await isDenied(store, session.id)).to.equal(true)
        expect(await logOut(store, session)).to.equal(null)
      })

      it('ends it again where both its end and its denial are lost', async () => {
        const session = await storedSession(store, await storedUser(store), 600)
        await logOut(store, session)
        await store.loseEnd(session.id)

        const again = await logOut(store, session)

        expect(again?.id).to.equal(session.id)
        expect(await isDenied(store, session.id)).to.equal(true)
        expect(await store.sessions.find(session.id)).to.equal(null)
      })

      it('denies as long as the token at hand lives, where the row is older than it', async () => {
        const session = await storedSession(store, await storedUser(store), 600)
        const expiresAt = session.expiresAt + 600

        const denial = await store.sessions.end(ending(session, { expiresAt }), logEntry('USER_LOGOUT'))

        expect(denial?.ttlMs).to.be.closeTo((1200 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
      })

      describe('where the row of the session is lost', () => {
        it('denies it while the token at hand lives, and the leeway, with its entry', async () => {
          const session = await lostSession(600)

          const denial = await logOut(store, session)

          const expectedMs = (600 + store.leewaySeconds) * 1000
          expect(denial?.id).to.equal(session.id)
          expect(denial?.ttlMs).to.be.closeTo(expectedMs, CLOCK_TOLERANCE_MS)
          expect(await isDenied(store, session.id)).to.equal(true)
          expect((await store.entries()).at(-1)).to.include({
            type: 'USER_LOGOUT',
            userId: session.account.id,
            sessionId: session.id,
          })
        })

        it('is null the second time, and writes nothing', async () => {
          const session = await lostSession()
          await logOut(store, session)
          const before = await store.entries()

          const again = await logOut(store, session)

          expect(again).to.equal(null)
          expect(await store.entries()).to.deep.equal(before)
        })

        it('is null where the session was ended before its row was lost, however long the token lives', async () => {
          const session = await storedSession(store, await storedUser(store))
          const expiresAt = session.expiresAt + 600
          await logOut(store, session)
          await store.loseSession(session.id)

          expect(await logOut(store, session)).to.equal(null)
          expect(await store.sessions.end(ending(session, { expiresAt }), logEntry('USER_LOGOUT'))).to.equal(
            null,
          )
        })

        it('lets one of twenty racing callers win, and writes one entry', async () => {
          await expectOneWinner(await lostSession())
        })

        async function lostSession(livesSeconds = 3600): Promise<NewSession> {
          const session = await storedSession(store, await storedUser(store), livesSeconds)
          await store.loseSession(session.id)
          return session
        }
      })

      async function expectOneWinner(session: NewSession): Promise<void> {
        const callers = Array.from({ length: 20 }, async () => await logOut(store, session))

        const results = await Promise.all(callers)

        expect(results.filter((denial) => denial !== null)).to.have.length(1)
        expect((await store.entries()).filter(({ type }) => type === 'USER_LOGOUT')).to.have.length(1)
      }
    })

    describe('revoke', () => {
      it('ends and denies that session, with one entry that names it', async () => {
        const user = await storedUser(store)
        const [revoked, other] = [await storedSession(store, user, 600), await storedSession(store, user)]

        const denial = await store.sessions.revoke({ id: revoked.id, userId: user.id }, REVOCATION)

        expect(denial?.id).to.equal(revoked.id)
        expect(denial?.ttlMs).to.be.closeTo((600 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
        expect(await isDenied(store, revoked.id)).to.equal(true)
        expect(await store.sessions.find(revoked.id)).to.equal(null)
        expect(await store.sessions.find(other.id)).not.to.equal(null)
        expect((await store.entries()).at(-1)).to.deep.equal({
          type: 'SESSION_REVOKED',
          userId: user.id,
          sessionId: revoked.id,
          ...CALLER,
          message: null,
        })
      })

      it("is null for another user's session, which goes on", async () => {
        const [alice, mallory] = [await storedUser(store), await storedUser(store)]
        const session = await storedSession(store, alice)

        await expectNothingRevoked({ id: session.id, userId: mallory.id })

        expect(await store.sessions.find(session.id)).not.to.equal(null)
      })

      it('is null for a session that is over: ended, expired, lost, or never there', async () => {
        const user = await storedUser(store)
        const [ended, lost] = [await storedSession(store, user), await storedSession(store, user)]
        const expired = await storedSession(store, user, -60)
        await logOut(store, ended)
        await store.loseSession(lost.id)

        for (const id of [ended.id, expired.id, lost.id, uuidv7()]) {
          await expectNothingRevoked({ id, userId: user.id })
        }
      })

      it('lets one of ten racing callers win, and writes one entry', async () => {
        const session = await storedSession(store, await storedUser(store))
        const revocation = { id: session.id, userId: session.account.id }
        const callers = Array.from(
          { length: 10 },
          async () => await store.sessions.revoke(revocation, REVOCATION),
        )

        const results = await Promise.all(callers)

        expect(results.filter((denial) => denial !== null)).to.have.length(1)
        expect((await store.entries()).filter(({ type }) => type === 'SESSION_REVOKED')).to.have.length(1)
      })

      async function expectNothingRevoked(session: { id: string; userId: string }): Promise<void> {
        const before = await store.entries()

        const denial = await store.sessions.revoke(session, REVOCATION)

        expect(denial).to.equal(null)
        expect(await store.entries()).to.deep.equal(before)
      }
    })

    describe('endAll', () => {
      it('ends and denies every session of the user, with one entry that names the calling one', async () => {
        const user = await storedUser(store)
        const sessions = [await storedSession(store, user), await storedSession(store, user, -2)]
        const caller = await storedSession(store, user)
        const before = await store.entries()

        const denials = await allEnded(store, caller)

        const ids = [...sessions, caller].map(({ id }) => id)
        expect(idsOf(denials)).to.have.members(ids)
        for (const id of ids) expect(await isDenied(store, id)).to.equal(true)
        expect(await store.entries()).to.deep.equal([
          ...before,
          { type: 'USER_LOGOUT', userId: user.id, sessionId: caller.id, ...CALLER, message: null },
        ])
      })

      it('leaves the sessions of other users alone', async () => {
        const other = await storedSession(store, await storedUser(store))
        const caller = await storedSession(store, await storedUser(store))

        await store.sessions.endAll(caller, LOGOUT)

        expect(await store.sessions.find(other.id)).not.to.equal(null)
        expect(await isDenied(store, other.id)).to.equal(false)
      })

      it('passes over sessions that are over: ended, or past all leeway', async () => {
        const user = await storedUser(store)
        await logOut(store, await storedSession(store, user))
        await storedSession(store, user, -60)
        const caller = await storedSession(store, user)

        expect(idsOf(await allEnded(store, caller))).to.deep.equal([caller.id])
      })

      it('denies the calling session for as long as its token says, which a lost rotation has made longer', async () => {
        const user = await storedUser(store)
        const [late, caller] = [await storedSession(store, user, -60), await storedSession(store, user)]
        const inAnHour = caller.expiresAt + 3600

        const ask = async (session: typeof caller) =>
          (await allEnded(store, { ...session, expiresAt: inAnHour })) ?? []
        const denials = [...(await ask(caller)), ...(await ask(late))]

        expect(idsOf(denials)).to.deep.equal([caller.id, late.id])
        for (const { ttlMs } of denials) expect(ttlMs).to.be.above((inAnHour - caller.expiresAt) * 1000)
      })

      it('is null, and ends nothing, when the calling session is over or not there', async () => {
        const user = await storedUser(store)
        const [caller, other] = [await storedSession(store, user), await storedSession(store, user)]
        await logOut(store, caller)
        const before = await store.entries()

        const over = await store.sessions.endAll(caller, LOGOUT)
        const never = await store.sessions.endAll({ id: uuidv7(), expiresAt: 0 }, LOGOUT)

        expect([over, never]).to.deep.equal([null, null])
        expect(await store.sessions.find(other.id)).not.to.equal(null)
        expect(await store.entries()).to.deep.equal(before)
      })

      it('ends each session once when all of them ask at once', async () => {
        for (let round = 0; round < 5; round++) {
          const user = await storedUser(store)
          const all: { id: string; expiresAt: number }[] = []
          for (let count = 0; count < 10; count++) all.push(await storedSession(store, user))

          const answers = await Promise.all(all.map(async (one) => await allEnded(store, one)))

          expect(answers.flatMap((denials) => idsOf(denials) ?? [])).to.have.members(all.map(({ id }) => id))
          for (const { id } of all) expect(await store.sessions.find(id)).to.equal(null)
        }
      })
    })

    describe('endOthers', () => {
      it('ends and denies every other session of the user, with one entry that names the calling one', async () => {
        const user = await storedUser(store)
        const others = [await storedSession(store, user), await storedSession(store, user, -2)]
        const stranger = await storedSession(store, await storedUser(store))
        const caller = await storedSession(store, user)
        const before = await store.entries()

        const denials = await othersEnded(store, caller.id)

        expect(idsOf(denials)).to.have.members(others.map(({ id }) => id))
        for (const { id } of others) expect(await isDenied(store, id)).to.equal(true)
        for (const { id } of [caller, stranger]) expect(await store.sessions.find(id)).not.to.equal(null)
        expect(await store.entries()).to.deep.equal([
          ...before,
          { type: 'USER_LOGOUT', userId: user.id, sessionId: caller.id, ...CALLER, message: null },
        ])
      })

      it('is empty, and writes nothing, where there are no others', async () => {
        const caller = await storedSession(store, await storedUser(store))
        const before = await store.entries()

        expect(await othersEnded(store, caller.id)).to.deep.equal([])
        expect(await store.entries()).to.deep.equal(before)
      })

      it('is null, and ends nothing, when the calling session is over or not there', async () => {
        const user = await storedUser(store)
        const [caller, other] = [await storedSession(store, user), await storedSession(store, user)]
        await logOut(store, caller)

        const answers = [await othersEnded(store, caller.id), await othersEnded(store, uuidv7())]

        expect(answers).to.deep.equal([null, null])
        expect(await store.sessions.find(other.id)).not.to.equal(null)
      })
    })

    describe('while no log entry can be written', () => {
      it('ends a session all the same', async () => {
        const session = await storedSession(store, await storedUser(store))
        await store.breakEntries()

        const denial = await logOut(store, session)

        expect(denial).to.include({ id: session.id })
        expect(await isDenied(store, session.id)).to.equal(true)
        expect(await logOut(store, session)).to.equal(null)
      })

      it('revokes one session and ends all all the same', async () => {
        const user = await storedUser(store)
        const [revoked, caller] = [await storedSession(store, user), await storedSession(store, user)]
        await store.breakEntries()

        const denial = await store.sessions.revoke({ id: revoked.id, userId: user.id }, REVOCATION)
        const denials = await allEnded(store, caller)

        expect(denial).to.include({ id: revoked.id })
        expect(idsOf(denials)).to.deep.equal([caller.id])
      })

      it('denies a session whose row is lost all the same', async () => {
        const session = await storedSession(store, await storedUser(store))
        await store.loseSession(session.id)
        await store.breakEntries()

        expect(await logOut(store, session)).to.include({ id: session.id })
        expect(await isDenied(store, session.id)).to.equal(true)
      })
    })
  })
}
