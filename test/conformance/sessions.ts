// What every store of sessions must do.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { Account, Denial } from '../../src/auth/ports.ts'
import { account, logEntry, ORIGIN } from '../support/builders/account.ts'
import { newSession } from '../support/builders/new-session.ts'
import { CLOCK_TOLERANCE_MS, type CreateStore, type StoreSubject } from './store-subject.ts'

const LOGIN = logEntry('USER_LOGIN')
const LOGOUT = logEntry('USER_LOGOUT')

export function sessionsConformance(name: string, create: CreateStore): void {
  describe(`${name} as Sessions`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    async function existingUser(): Promise<Account> {
      const user = account()
      await store.userAdmin.add(user, logEntry('USER_ADDED'))
      return user
    }

    /** Begins a session of the user and resolves to its id. */
    async function begun(user: Account, livesSeconds = 3600): Promise<string> {
      const session = newSession(user, Math.floor(store.nowMs() / 1000) + livesSeconds)
      expect(await store.sessions.begin(session, LOGIN)).to.equal(true)
      return session.id
    }

    const isDenied = async (sid: string): Promise<boolean> =>
      await store.journal.isDenied({ sid, jti: uuidv4() })

    describe('begin', () => {
      it('writes the session and one entry that names user and session', async () => {
        const user = await existingUser()

        const sid = await begun(user)

        expect((await store.entries()).at(-1)).to.deep.equal({
          type: 'USER_LOGIN',
          userId: user.id,
          sessionId: sid,
          ...ORIGIN,
          message: null,
        })
        expect(await store.sessions.end(sid, 'logout', LOGOUT)).to.include({ id: sid })
      })

      it('notes when the user logged in last', async () => {
        const user = await existingUser()

        await begun(user)

        const [summary] = await store.userAdmin.list()
        expect(summary?.lastLoginAt?.getTime()).to.be.closeTo(store.nowMs(), CLOCK_TOLERANCE_MS)
      })

      it('replaces the hash when it is given a new one, and keeps it otherwise', async () => {
        const user = await existingUser()
        const session = newSession(user, store.nowMs() / 1000 + 60, { rehashed: 'hash of today' })

        await begun(user)
        const kept = await store.users.findByUsername(user.username)
        await store.sessions.begin(session, LOGIN)
        const replaced = await store.users.findByUsername(user.username)

        expect(kept?.passwordHash).to.equal(user.passwordHash)
        expect(replaced?.passwordHash).to.equal('hash of today')
      })

      it('refuses a user who was disabled since the account was read', async () => {
        const user = await existingUser()
        await store.userAdmin.disable(user.username, logEntry('USER_DISABLED'))

        await expectRefused(user)
      })

      it('refuses a user whose password changed since the account was read', async () => {
        const user = await existingUser()
        const change = { username: user.username, passwordHash: 'another hash' }
        await store.userAdmin.setPassword(change, logEntry('PASSWORD_CHANGED'))

        await expectRefused(user)
      })

      it('refuses a user who is not there', async () => {
        await expectRefused(account())
      })

      async function expectRefused(user: Account): Promise<void> {
        const before = await store.entries()
        const session = newSession(user, store.nowMs() / 1000 + 60)

        const hasBegun = await store.sessions.begin(session, LOGIN)

        expect(hasBegun).to.equal(false)
        expect(await store.sessions.end(session.id, 'logout', LOGOUT)).to.equal(null)
        expect(await store.entries()).to.deep.equal(before)
      }
    })

    describe('end', () => {
      it('denies the session in the journal, with one entry that names user and session', async () => {
        const user = await existingUser()
        const sid = await begun(user)

        await store.sessions.end(sid, 'logout', LOGOUT)

        expect(await isDenied(sid)).to.equal(true)
        expect((await store.entries()).at(-1)).to.deep.equal({
          type: 'USER_LOGOUT',
          userId: user.id,
          sessionId: sid,
          ...ORIGIN,
          message: null,
        })
      })

      it('denies for what is left of the session and the leeway', async () => {
        const sid = await begun(await existingUser(), 600)

        const denial = await store.sessions.end(sid, 'logout', LOGOUT)

        const expectedMs = (600 + store.leewaySeconds) * 1000
        expect(denial?.id).to.equal(sid)
        expect(denial?.ttlMs).to.be.closeTo(expectedMs, CLOCK_TOLERANCE_MS)
      })

      it('is null for a session that is over, and for one that never was', async () => {
        const sid = await begun(await existingUser())
        await store.sessions.end(sid, 'logout', LOGOUT)
        const before = await store.entries()

        const again = await store.sessions.end(sid, 'logout', LOGOUT)
        const never = await store.sessions.end(uuidv7(), 'logout', LOGOUT)

        expect([again, never]).to.deep.equal([null, null])
        expect(await store.entries()).to.deep.equal(before)
      })

      it('lets one of twenty racing callers win, and writes one entry', async () => {
        const sid = await begun(await existingUser())
        const callers = Array.from(
          { length: 20 },
          async () => await store.sessions.end(sid, 'logout', LOGOUT),
        )

        const results = await Promise.all(callers)

        expect(results.filter((denial) => denial !== null)).to.have.length(1)
        expect((await store.entries()).filter(({ type }) => type === 'USER_LOGOUT')).to.have.length(1)
      })

      it('leaves the other sessions of the user alone', async () => {
        const user = await existingUser()
        const [ended, other] = [await begun(user), await begun(user)]

        await store.sessions.end(ended, 'logout', LOGOUT)

        expect(await isDenied(other)).to.equal(false)
        expect(await store.sessions.end(other, 'logout', LOGOUT)).to.include({ id: other })
      })
    })

    describe('a login that races with an operator', () => {
      it('never leaves a live session of a disabled user', async () => {
        await expectNoSurvivor(
          async (user) => await store.userAdmin.disable(user.username, logEntry('USER_DISABLED')),
        )
      })

      it('never leaves a live session that began with the old password', async () => {
        await expectNoSurvivor(async ({ username, id }) => {
          const change = { username, passwordHash: `new hash of ${id}` }
          return await store.userAdmin.setPassword(change, logEntry('PASSWORD_CHANGED'))
        })
      })

      async function expectNoSurvivor(change: (user: Account) => Promise<Denial[] | null>): Promise<void> {
        for (let round = 0; round < 12; round++) {
          const user = await existingUser()
          const sessions = Array.from({ length: 4 }, () => newSession(user, store.nowMs() / 1000 + 60))
          const begin = async (session: (typeof sessions)[number]) => ({
            id: session.id,
            hasBegun: await store.sessions.begin(session, LOGIN),
          })

          const early = sessions.slice(0, 2).map(begin)
          const changing = change(user)
          const late = sessions.slice(2).map(begin)

          const denials = await changing
          const logins = await Promise.all([...early, ...late])
          const begunIds = logins.filter(({ hasBegun }) => hasBegun).map(({ id }) => id)
          expect(denials?.map(({ id }) => id)).to.have.members(begunIds)
          for (const { id } of logins) {
            expect(await store.sessions.end(id, 'logout', LOGOUT), 'a survivor').to.equal(null)
          }
        }
      }
    })

    describe('while no log entry can be written', () => {
      it('begins and ends sessions all the same', async () => {
        const user = await existingUser()
        await store.breakEntries()

        const sid = await begun(user)
        const denial = await store.sessions.end(sid, 'logout', LOGOUT)

        expect(denial).to.include({ id: sid })
        expect(await isDenied(sid)).to.equal(true)
        expect(await store.sessions.end(sid, 'logout', LOGOUT)).to.equal(null)
      })
    })
  })
}
