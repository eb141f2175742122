// What every store must let users do to their own accounts.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import type { Account } from '../../src/auth/ports/accounts.ts'
import type { Denial } from '../../src/auth/ports/denials.ts'
import type { NewSession } from '../../src/auth/ports/sessions.ts'
import { account, logEntry, CALLER } from '../support/builders/account.ts'
import { allEnded, passwordChanged, removed } from '../support/builders/ended-sessions.ts'
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

export function ownAccountConformance(name: string, create: CreateStore): void {
  describe(`${name} as OwnAccount`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    /** Changes the password from one device, which stays logged in. */
    const changePassword = async (
      user: Account,
      keepSessionId: string = uuidv7(),
      passwordHash = 'new hash',
    ) => await passwordChanged(store, { account: user, passwordHash, keepSessionId })
    const remove = async (user: Account) => await removed(store, user)

    for (const { what, change, type } of [
      { what: 'changePassword', change: changePassword, type: 'PASSWORD_CHANGED' },
      { what: 'remove', change: remove, type: 'USER_DELETED' },
    ] as const) {
      describe(what, () => {
        it('ends the sessions of the user and of nobody else, and denies them', async () => {
          const user = await storedUser(store)
          const own = [await storedSession(store, user), await storedSession(store, user)]
          const other = await storedSession(store, await storedUser(store))

          const denials = await change(user)

          const ids = own.map(({ id }) => id)
          expect(idsOf(denials)).to.have.members(ids)
          for (const id of ids) {
            expect(await isDenied(store, id)).to.equal(true)
            expect(await store.sessions.find(id)).to.equal(null)
          }
          expect(await isDenied(store, other.id)).to.equal(false)
          expect(await store.sessions.find(other.id)).not.to.equal(null)
        })

        it('denies each session for what is left of it and the leeway', async () => {
          const user = await storedUser(store)
          await storedSession(store, user, 600)

          const [denial] = (await change(user)) ?? []

          expect(denial?.ttlMs).to.be.closeTo((600 + store.leewaySeconds) * 1000, CLOCK_TOLERANCE_MS)
        })

        it('ends a session that only the leeway keeps alive, and none that is over', async () => {
          const user = await storedUser(store)
          const inLeeway = await storedSession(store, user, -2)
          await storedSession(store, user, -60)
          await logOut(store, await storedSession(store, user))

          expect(idsOf(await change(user))).to.deep.equal([inLeeway.id])
        })

        it('writes one entry, about the user and the session that asked', async () => {
          const user = await storedUser(store)
          const sessionId = uuidv7()
          const before = await store.entries()
          const entry = logEntry(type, { sessionId, message: 'from the account page' })

          if (type === 'USER_DELETED') await removed(store, user, entry)
          else {
            const to = { account: user, passwordHash: 'new hash', keepSessionId: sessionId }
            await passwordChanged(store, to, entry)
          }

          expect(await store.entries()).to.deep.equal([
            ...before,
            { type, userId: user.id, sessionId, ...CALLER, message: 'from the account page' },
          ])
        })

        it('is null where the account is not as it was read any more, and changes nothing', async () => {
          const [rehashed, disabled] = [await storedUser(store), await storedUser(store)]
          const session = await storedSession(store, rehashed)
          await store.userAdmin.disable(disabled.username, logEntry('USER_DISABLED'))
          const before = await store.entries()

          const answers = [
            await change({ ...rehashed, passwordHash: 'the hash of before' }),
            await change(disabled),
            await change(account()),
          ]

          expect(answers).to.deep.equal([null, null, null])
          expect(await store.entries()).to.deep.equal(before)
          expect(await store.sessions.find(session.id)).not.to.equal(null)
          expect(await store.users.findById(rehashed.id)).to.deep.equal(rehashed)
          expect(await store.users.findById(disabled.id)).to.deep.equal({ ...disabled, isActive: false })
        })

        it('lets one of two racing callers win, and writes one entry', async () => {
          for (let round = 0; round < 5; round++) {
            const user = await storedUser(store)
            const session = await storedSession(store, user)

            const answers = await Promise.all([change(user), change(user)])

            const winners = answers.filter((denials) => denials !== null)
            expect(winners.map(idsOf)).to.deep.equal([[session.id]])
            const told = (await store.entries()).filter(
              (entry) => entry.userId === user.id && entry.type === type,
            )
            expect(told).to.have.length(1)
          }
        })

        it('leaves no live session of logins that race with it', async () => {
          for (let round = 0; round < 12; round++) {
            const user = await storedUser(store)
            const sessions = Array.from({ length: 4 }, () => newSession(user, store.nowMs() / 1000 + 60))
            const begin = async (session: NewSession) => ({
              id: session.id,
              hasBegun: (await store.sessions.begin(session, logEntry('USER_LOGIN'))) !== null,
            })

            const early = sessions.slice(0, 2).map(begin)
            const changing = change(user)
            const late = sessions.slice(2).map(begin)

            const denials = await changing
            const logins = await Promise.all([...early, ...late])
            const begunIds = logins.filter(({ hasBegun }) => hasBegun).map(({ id }) => id)
            expect(idsOf(denials)).to.have.members(begunIds)
            expect(await liveIds(store, user.id)).to.deep.equal([])
          }
        })

        it('ends each session once where logouts race with it', async () => {
          for (let round = 0; round < 8; round++) {
            const user = await storedUser(store)
            const sessions: NewSession[] = []
            for (let count = 0; count < 6; count++) sessions.push(await storedSession(store, user))
            const [first, second, ...rest] = sessions

            const ends = [first, second].map(async (session) => session && (await logOut(store, session)))
            const all = allEnded(store, rest[0] ?? { id: '', expiresAt: 0 })
            const answers: (Denial | null | undefined)[][] = [
              (await change(user)) ?? [],
              (await all) ?? [],
              await Promise.all(ends),
            ]

            const endedIds = answers.flat().flatMap((denial) => denial?.id ?? [])
            expect(endedIds).to.have.members(sessions.map(({ id }) => id))
          }
        })

        it('does its work while no log entry can be written', async () => {
          const user = await storedUser(store)
          const session = await storedSession(store, user)
          await store.breakEntries()

          const denials = await change(user)

          expect(idsOf(denials)).to.deep.equal([session.id])
          expect(await isDenied(store, session.id)).to.equal(true)
          expect(await store.users.findById(user.id)).not.to.deep.equal(user)
        })
      })
    }

    describe('changePassword', () => {
      it('replaces the hash and nothing else, and keeps the session that asked', async () => {
        const user = await storedUser(store)
        const [kept, other] = [await storedSession(store, user), await storedSession(store, user)]

        const denials = await changePassword(user, kept.id)

        expect(idsOf(denials)).to.deep.equal([other.id])
        expect(await store.users.findById(user.id)).to.deep.equal({ ...user, passwordHash: 'new hash' })
        expect(await isDenied(store, kept.id)).to.equal(false)
        expect(await liveIds(store, user.id)).to.deep.equal([kept.id])
      })
    })

    describe('remove', () => {
      it('forgets the user, whose name is free again, and the sessions', async () => {
        const user = await storedUser(store, { username: 'alice' })
        const session = await storedSession(store, user)

        await remove(user)

        expect(await store.users.findById(user.id)).to.equal(null)
        expect(await store.users.findByUsername('alice')).to.equal(null)
        expect(await liveIds(store, user.id)).to.deep.equal([])
        expect(await store.userAdmin.add(account({ username: 'alice' }), logEntry('USER_ADDED'))).to.equal(
          true,
        )
        expect(await isDenied(store, session.id)).to.equal(true)
      })

      it('leaves sessions that cannot be ended a second time', async () => {
        const user = await storedUser(store)
        const session = await storedSession(store, user)

        await remove(user)

        expect(await logOut(store, session)).to.equal(null)
      })

      it('keeps the log entries', async () => {
        const user = await storedUser(store)
        await storedSession(store, user)

        await remove(user)

        const types = (await store.ownAccount.events({ userId: user.id, before: null, limit: 10 })).map(
          ({ type }) => type,
        )
        expect(types).to.deep.equal(['USER_DELETED', 'USER_LOGIN', 'USER_ADDED'])
      })
    })

    describe('events', () => {
      it('tell of an entry all that was kept', async () => {
        const user = await storedUser(store)
        const sessionId = uuidv7()
        const caller = { ipAddress: '2001:db8::1', userAgent: null }
        await store.auditLog.write({
          type: 'USER_LOGIN_FAILED',
          caller,
          userId: user.id,
          sessionId,
          message: 'wrong password',
        })

        const [event] = await store.ownAccount.events({ userId: user.id, before: null, limit: 1 })

        const { id, createdAt, ...rest } = event ?? {}
        expect(id).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-7/)
        expect(createdAt?.getTime()).to.be.closeTo(store.nowMs(), CLOCK_TOLERANCE_MS)
        expect(rest).to.deep.equal({
          type: 'USER_LOGIN_FAILED',
          sessionId,
          ...caller,
          message: 'wrong password',
        })
      })

      it('are those of the user only, the newest first, page by page', async () => {
        const [user, other] = [await storedUser(store), await storedUser(store)]
        for (const message of ['1', '2', '3', '4', '5']) {
          await store.auditLog.write(logEntry('USER_LOGIN_FAILED', { userId: user.id, message }))
          await store.auditLog.write(logEntry('USER_LOGIN_FAILED', { userId: other.id, message }))
          await store.auditLog.write(logEntry('USER_LOGIN_FAILED', { message }))
        }

        const pages: (string | null)[][] = []
        let before: string | null = null
        for (let page = 0; page < 4; page++) {
          const events = await store.ownAccount.events({ userId: user.id, before, limit: 2 })
          pages.push(events.map(({ message }) => message))
          before = events.at(-1)?.id ?? before
        }

        // The last of them is of the user's beginning.
        expect(pages).to.deep.equal([['5', '4'], ['3', '2'], ['1', null], []])
      })

      it('are none where there is nobody', async () => {
        expect(await store.ownAccount.events({ userId: uuidv7(), before: null, limit: 10 })).to.deep.equal([])
      })
    })
  })
}
