// What every store of sessions must begin and tell.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import type { Account } from '../../src/auth/ports/accounts.ts'
import type { Denial } from '../../src/auth/ports/denials.ts'
import { account, logEntry, CALLER } from '../support/builders/account.ts'
import { disabled, passwordSet } from '../support/builders/ended-sessions.ts'
import { newSession } from '../support/builders/new-session.ts'
import {
  idsOf,
  isDenied,
  liveIds,
  logOut,
  storedSession,
  storedUser,
} from '../support/builders/stored-session.ts'
import { CLOCK_TOLERANCE_MS, type CreateStore, type StoreSubject } from './store-subject.ts'

const LOGIN = logEntry('USER_LOGIN')
const firstPage = (userId: string) => ({ userId, before: null, limit: 10 })

export function sessionsConformance(name: string, create: CreateStore): void {
  describe(`${name} as Sessions`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    describe('begin', () => {
      it('writes the session and one entry that names user and session', async () => {
        const user = await storedUser(store)

        const session = await storedSession(store, user)

        expect((await store.entries()).at(-1)).to.deep.equal({
          type: 'USER_LOGIN',
          userId: user.id,
          sessionId: session.id,
          ...CALLER,
          message: null,
        })
        expect(await logOut(store, session)).to.include({ id: session.id })
      })

      it('notes when the user logged in last', async () => {
        const user = await storedUser(store)

        await storedSession(store, user)

        const [summary] = await store.userAdmin.list()
        expect(summary?.lastLoginAt?.getTime()).to.be.closeTo(store.nowMs(), CLOCK_TOLERANCE_MS)
      })

      it('replaces the hash when it is given a new one, and keeps it otherwise', async () => {
        const user = await storedUser(store)
        const session = newSession(user, store.nowMs() / 1000 + 60, { rehashed: 'hash of today' })

        await storedSession(store, user)
        const kept = await store.users.findByUsername(user.username)
        await store.sessions.begin(session, LOGIN)
        const replaced = await store.users.findByUsername(user.username)

        expect(kept?.passwordHash).to.equal(user.passwordHash)
        expect(replaced?.passwordHash).to.equal('hash of today')
      })

      it('ends the oldest session beyond the bound, and denies it for what is left of it', async () => {
        const user = await storedUser(store)
        const oldest = await storedSession(store, user, 600)
        const kept = [await storedSession(store, user), await storedSession(store, user, -2)]
        const before = (await store.entries()).length

        const newest = newSession(user, store.nowMs() / 1000 + 60, { maxSessions: 3 })
        await store.sessions.begin(newest, LOGIN)

        const open = [...kept, newest]
        expect(await isDenied(store, oldest.id)).to.equal(true)
        for (const { id } of open) expect(await store.sessions.find(id)).not.to.equal(null)
        expect(await store.sessions.find(oldest.id)).to.equal(null)
        expect((await store.entries()).slice(before)).to.have.length(1)
      })

      it('resolves to the denials of those that it ended, and passes over who is over', async () => {
        const user = await storedUser(store)
        const sessions = [await storedSession(store, user, 600), await storedSession(store, user)]
        await logOut(store, await storedSession(store, user))
        await storedSession(store, user, -60)
        const other = await storedSession(store, await storedUser(store))
        const session = newSession(user, store.nowMs() / 1000 + 60, { maxSessions: 1 })

        const denials = await store.sessions.begin(session, LOGIN)

        expect(idsOf(denials)).to.have.members(sessions.map(({ id }) => id))
        const denial = denials?.find(({ id }) => id === sessions[0]?.id)
        expect(denial?.ttlMs).to.be.closeTo((600 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
        expect(await store.sessions.find(other.id)).not.to.equal(null)
      })

      it('comes back to the bound with the next login where racing ones went beyond it', async () => {
        const user = await storedUser(store)
        const begin = async () =>
          await store.sessions.begin(newSession(user, store.nowMs() / 1000 + 60, { maxSessions: 2 }), LOGIN)

        const racing = await Promise.all(Array.from({ length: 10 }, begin))
        await begin()

        expect(racing).not.to.include(null)
        expect(await liveIds(store, user.id)).to.have.length(2)
      })

      it('refuses a user who was disabled since the account was read', async () => {
        const user = await storedUser(store)
        await store.userAdmin.disable(user.username, logEntry('USER_DISABLED'))

        await expectRefused(user)
      })

      it('refuses a user whose password changed since the account was read', async () => {
        const user = await storedUser(store)
        const change = { username: user.username, passwordHash: 'another hash' }
        await store.userAdmin.setPassword(change, logEntry('PASSWORD_CHANGED'))

        await expectRefused(user)
      })

      it('refuses a user whose role changed since the account was read', async () => {
        const user = await storedUser(store)
        const change = { username: user.username, role: 'admin' }
        await store.userAdmin.setRole(change, logEntry('ROLE_CHANGED'))

        await expectRefused(user)
      })

      it('refuses a user who is not there', async () => {
        await expectRefused(account())
      })

      async function expectRefused(user: Account): Promise<void> {
        const before = await store.entries()
        const session = newSession(user, store.nowMs() / 1000 + 60)

        const begun = await store.sessions.begin(session, LOGIN)

        expect(begun).to.equal(null)
        expect(await store.sessions.find(session.id)).to.equal(null)
        expect(await store.entries()).to.deep.equal(before)
      }
    })

    describe('find and list', () => {
      it('tell what the session began with', async () => {
        const session = await storedSession(store, await storedUser(store))

        const found = await store.sessions.find(session.id)
        const [listed, ...others] = await store.sessions.list(firstPage(session.account.id))

        const { createdAt, ...live } = found ?? {}
        expect(live).to.deep.equal({
          generation: 0,
          rotatedAtMs: null,
          sinceRotationMs: null,
          isPresented: true,
          sinceLateReplayMs: null,
          expiresAt: session.expiresAt,
          role: 'user',
          claims: {},
        })
        expect(createdAt).to.be.closeTo(store.nowMs() / 1000, CLOCK_TOLERANCE_MS / 1000)
        expect(others).to.deep.equal([])
        expect(listed).to.include({ id: session.id, ...CALLER })
        expect(listed?.expiresAt).to.deep.equal(new Date(session.expiresAt * 1000))
        for (const time of [listed?.createdAt, listed?.lastSeenAt]) {
          expect(time?.getTime()).to.be.closeTo(store.nowMs(), CLOCK_TOLERANCE_MS)
        }
      })

      it('list the sessions of that user only, the newest first', async () => {
        const user = await storedUser(store)
        const first = await storedSession(store, user)
        await storedSession(store, await storedUser(store))
        const second = await storedSession(store, user)

        expect(await liveIds(store, user.id)).to.deep.equal([second.id, first.id])
        expect(await liveIds(store, uuidv7())).to.deep.equal([])
      })

      it('list a page at a time', async () => {
        const user = await storedUser(store)
        const sessions: string[] = []
        for (let count = 0; count < 5; count++) sessions.unshift((await storedSession(store, user)).id)

        const pages: (string[] | undefined)[] = []
        for (let before: string | null = null, page = 0; page < 4; page++) {
          const found = await store.sessions.list({ userId: user.id, before, limit: 2 })
          pages.push(idsOf(found))
          before = found.at(-1)?.id ?? before
        }

        expect(pages).to.deep.equal([sessions.slice(0, 2), sessions.slice(2, 4), sessions.slice(4), []])
      })

      it('tell nothing of a session of a closed account, though it is to end later', async () => {
        const session = await storedSession(store, await storedUser(store))
        await store.userAdmin.disable(session.account.username, logEntry('USER_DISABLED'))

        expect(await store.sessions.find(session.id)).to.equal(null)
      })

      it('tell nothing of a session that is over: ended, expired, or never there', async () => {
        const user = await storedUser(store)
        const ended = await storedSession(store, user)
        const expired = await storedSession(store, user, -60)
        await logOut(store, ended)

        for (const id of [ended.id, expired.id, uuidv7()]) {
          expect(await store.sessions.find(id)).to.equal(null)
        }
        expect(await liveIds(store, user.id)).to.deep.equal([])
      })
    })

    describe('a login that races with an operator', () => {
      it('never leaves a live session of a disabled user', async () => {
        await expectNoSurvivor(async (user) => await disabled(store, user.username))
      })

      it('never leaves a live session that began with the old password', async () => {
        await expectNoSurvivor(async ({ username, id }) => {
          const change = { username, passwordHash: `new hash of ${id}` }
          return await passwordSet(store, change)
        })
      })

      async function expectNoSurvivor(change: (user: Account) => Promise<Denial[] | null>): Promise<void> {
        for (let round = 0; round < 12; round++) {
          const user = await storedUser(store)
          const sessions = Array.from({ length: 4 }, () => newSession(user, store.nowMs() / 1000 + 60))
          const begin = async (session: (typeof sessions)[number]) => ({
            id: session.id,
            hasBegun: (await store.sessions.begin(session, LOGIN)) !== null,
          })

          const early = sessions.slice(0, 2).map(begin)
          const changing = change(user)
          const late = sessions.slice(2).map(begin)

          const denials = await changing
          const logins = await Promise.all([...early, ...late])
          const begunIds = logins.filter(({ hasBegun }) => hasBegun).map(({ id }) => id)
          expect(idsOf(denials)).to.have.members(begunIds)
          for (const { id } of logins) expect(await store.sessions.find(id), 'a survivor').to.equal(null)
        }
      }
    })

    it('begins a session while no log entry can be written', async () => {
      const user = await storedUser(store)
      await store.breakEntries()

      const session = await storedSession(store, user)

      expect(await liveIds(store, user.id)).to.deep.equal([session.id])
    })
  })
}
