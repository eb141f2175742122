// What every store must let an operator do to users.
import { expect } from 'chai'
import type { Account } from '../../src/auth/ports/accounts.ts'
import type { NewSession } from '../../src/auth/ports/sessions.ts'
import { account, logEntry } from '../support/builders/account.ts'
import { disabled, passwordSet, roleSet } from '../support/builders/ended-sessions.ts'
import { idsOf, isDenied, logOut, storedSession, storedUser } from '../support/builders/stored-session.ts'
import { CLOCK_TOLERANCE_MS, type CreateStore, type StoreSubject } from './store-subject.ts'

export function userAdminConformance(name: string, create: CreateStore): void {
  describe(`${name} as UserAdmin`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    const existingUser = async (username: string): Promise<Account> => await storedUser(store, { username })

    async function sessionOf(username: string, livesSeconds = 3600): Promise<NewSession> {
      const user = await store.users.findByUsername(username)
      return await storedSession(store, user ?? account(), livesSeconds)
    }

    const lastEntry = async () => {
      const { type, userId } = (await store.entries()).at(-1) ?? {}
      return { type, userId }
    }

    describe('add', () => {
      it('makes an active user, with an entry', async () => {
        const user = await existingUser('alice')

        expect(await store.users.findByUsername('alice')).to.deep.equal(user)
        expect(await lastEntry()).to.deep.equal({ type: 'USER_ADDED', userId: user.id })
      })

      it('refuses a name that is taken, in any case, and changes nothing', async () => {
        const user = await existingUser('alice')

        const added = await store.userAdmin.add(account({ username: 'ALICE' }), logEntry('USER_ADDED'))

        expect(added).to.equal(false)
        expect(await store.users.findByUsername('alice')).to.deep.equal(user)
        expect(await store.entries()).to.have.length(1)
      })

      it('refuses a name that is taken in another width', async () => {
        await existingUser('alice')

        const added = await store.userAdmin.add(account({ username: 'ａｌｉｃｅ' }), logEntry('USER_ADDED'))

        expect(added).to.equal(false)
      })

      it('refuses a name that is taken since widths counted, and changes that account by it', async () => {
        const former = account({ username: 'ａlice' })
        await store.addFormerly(former)

        const added = await store.userAdmin.add(account({ username: 'ａlice' }), logEntry('USER_ADDED'))
        await store.userAdmin.setPassword(
          { username: 'ａlice', passwordHash: 'new' },
          logEntry('PASSWORD_CHANGED'),
        )
        await store.userAdmin.disable('ａLICE', logEntry('USER_DISABLED'))

        expect(added).to.equal(false)
        expect(await store.users.findById(former.id)).to.include({ passwordHash: 'new', isActive: false })
        expect(await store.userAdmin.enable('ａlice', logEntry('USER_ENABLED'))).to.equal(true)
        expect(await store.userAdmin.enable('alice', logEntry('USER_ENABLED'))).to.equal(false)
      })

      it('lets one of ten racing callers have the name', async () => {
        const callers = Array.from(
          { length: 10 },
          async () => await store.userAdmin.add(account({ username: 'alice' }), logEntry('USER_ADDED')),
        )

        const results = await Promise.all(callers)

        expect(results.filter(Boolean)).to.have.length(1)
        expect(await store.userAdmin.list()).to.have.length(1)
      })
    })

    describe('list', () => {
      it('is empty where there are no users', async () => {
        expect(await store.userAdmin.list()).to.deep.equal([])
      })

      it('tells all users by name, and no hashes', async () => {
        const bob = await existingUser('Bob')
        const alice = await existingUser('alice')
        await store.userAdmin.disable('bob', logEntry('USER_DISABLED'))

        const list = await store.userAdmin.list()

        const { createdAt, ...first } = list[0] ?? {}
        expect(first).to.deep.equal({
          id: alice.id,
          username: 'alice',
          role: 'user',
          isActive: true,
          lastLoginAt: null,
        })
        expect(createdAt?.getTime()).to.be.closeTo(store.nowMs(), CLOCK_TOLERANCE_MS)
        expect(list[1]).to.include({ id: bob.id, username: 'Bob', isActive: false })
      })
    })

    for (const { what, change, type } of [
      {
        what: 'disable',
        change: async (username: string) => await disabled(store, username),
        type: 'USER_DISABLED',
      },
      {
        what: 'setPassword',
        change: async (username: string) => await passwordSet(store, { username, passwordHash: 'new hash' }),
        type: 'PASSWORD_CHANGED',
      },
      {
        what: 'setRole',
        change: async (username: string) => await roleSet(store, { username, role: 'admin' }),
        type: 'ROLE_CHANGED',
      },
    ]) {
      describe(what, () => {
        it('ends every session of the user and of nobody else, with one entry', async () => {
          const { id } = await existingUser('alice')
          await existingUser('bob')
          const sessions = [await sessionOf('alice'), await sessionOf('alice'), await sessionOf('alice')]
          const own = sessions.map((session) => session.id)
          const other = await sessionOf('bob')

          const denials = await change('ALICE')

          expect(idsOf(denials)).to.have.members(own)
          expect(await Promise.all(own.map(async (sid) => await isDenied(store, sid)))).to.deep.equal([
            true,
            true,
            true,
          ])
          expect(await isDenied(store, other.id)).to.equal(false)
          expect(await lastEntry()).to.deep.equal({ type, userId: id })
        })

        it('denies each session for what is left of it and the leeway', async () => {
          await existingUser('alice')
          await sessionOf('alice', 600)

          const [denial] = (await change('alice')) ?? []

          const expectedMs = (600 + store.leewaySeconds) * 1000
          expect(denial?.ttlMs).to.be.closeTo(expectedMs, CLOCK_TOLERANCE_MS)
        })

        it('ends a session that only the leeway keeps alive', async () => {
          await existingUser('alice')
          const { id: sid } = await sessionOf('alice', -2)

          const denials = await change('alice')

          expect(idsOf(denials)).to.deep.equal([sid])
        })

        it('passes over sessions that are over: ended, or past all leeway', async () => {
          await existingUser('alice')
          await logOut(store, await sessionOf('alice'))
          await sessionOf('alice', -60)

          expect(await change('alice')).to.deep.equal([])
        })

        it('is null where there is no such user, and writes nothing', async () => {
          await existingUser('alice')

          expect(await change('bob')).to.equal(null)
          expect(await store.entries()).to.have.length(1)
        })
      })
    }

    describe('disable and enable', () => {
      it('turn an account off and on again', async () => {
        const user = await existingUser('alice')

        await store.userAdmin.disable('alice', logEntry('USER_DISABLED'))
        const account = await store.users.findByUsername('alice')
        const isEnabled = await store.userAdmin.enable('alice', logEntry('USER_ENABLED'))

        expect(account?.isActive).to.equal(false)
        expect(isEnabled).to.equal(true)
        expect(await store.users.findByUsername('alice')).to.deep.equal(user)
        expect(await lastEntry()).to.deep.equal({ type: 'USER_ENABLED', userId: user.id })
      })

      it('revive no session', async () => {
        await existingUser('alice')
        const { id: sid } = await sessionOf('alice')

        await disabled(store, 'alice')
        await store.userAdmin.enable('alice', logEntry('USER_ENABLED'))

        expect(await isDenied(store, sid)).to.equal(true)
      })

      it('enable nobody where there is no such user', async () => {
        expect(await store.userAdmin.enable('bob', logEntry('USER_ENABLED'))).to.equal(false)
      })
    })

    describe('setPassword', () => {
      it('replaces the hash and leaves the account on', async () => {
        const user = await existingUser('alice')

        await store.userAdmin.setPassword(
          { username: 'alice', passwordHash: 'new hash' },
          logEntry('PASSWORD_CHANGED'),
        )

        expect(await store.users.findByUsername('alice')).to.deep.equal({ ...user, passwordHash: 'new hash' })
      })
    })

    describe('setClaims', () => {
      it('replaces the claims and nothing else, with an entry', async () => {
        const user = await existingUser('alice')
        const change = { username: 'ALICE', claims: { team: 'red' } }

        const changed = await store.userAdmin.setClaims(change, logEntry('CLAIMS_CHANGED'))

        expect(changed).to.deep.equal({ id: user.id })
        expect(await store.users.findByUsername('alice')).to.deep.equal({ ...user, claims: { team: 'red' } })
        expect(await lastEntry()).to.deep.equal({ type: 'CLAIMS_CHANGED', userId: user.id })
      })

      it('is null where there is no such user', async () => {
        const change = { username: 'bob', claims: {} }

        expect(await store.userAdmin.setClaims(change, logEntry('CLAIMS_CHANGED'))).to.equal(null)
      })
    })

    describe('setRole', () => {
      it('replaces the role and nothing else', async () => {
        const user = await existingUser('alice')

        await roleSet(store, { username: 'ALICE', role: 'admin' })

        expect(await store.users.findByUsername('alice')).to.deep.equal({ ...user, role: 'admin' })
      })
    })

    describe('while no log entry can be written', () => {
      it('disables a user and ends their sessions all the same', async () => {
        await existingUser('alice')
        const { id: sid } = await sessionOf('alice')
        await store.breakEntries()

        const denials = await disabled(store, 'alice')

        expect(idsOf(denials)).to.deep.equal([sid])
        expect(await isDenied(store, sid)).to.equal(true)
      })
    })
  })
}
