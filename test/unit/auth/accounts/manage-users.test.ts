// What an operator may do to users, and what they are told when they may not.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import type { Account } from '../../../../src/auth/ports/accounts.ts'
import type { Denial, TokenIds } from '../../../../src/auth/ports/denials.ts'
import {
  addUser,
  disableUser,
  enableUser,
  setPassword,
  setRole,
  type UsersDeps,
} from '../../../../src/auth/accounts/manage-users.ts'
import { logEntry, CALLER } from '../../../support/builders/account.ts'
import { newSession } from '../../../support/builders/new-session.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'

let stores: MemoryStores & UsersDeps

const ROLES = ['user', 'admin']

beforeEach(() => {
  stores = { ...memoryStores(), isCommonPassword: (password) => password === 'password1', roles: ROLES }
})

/** Whether that is the password of a user who may log in. */
const letsIn = async (username: string, password: string): Promise<boolean> => {
  const found = await stores.users.findByUsername(username)
  return found?.isActive === true && (await stores.passwords.verify(found.passwordHash, password, CALLER))
}

/** A session of that user begins; resolves to the ids of its first refresh token. */
const begin = async (user: Account): Promise<TokenIds> => {
  const session = newSession(user, stores.now() + 3600)
  await stores.sessions.begin(session, logEntry('USER_LOGIN', { userId: user.id }))
  return { sid: session.id, jti: session.refreshJti }
}

interface Told {
  code?: string
  says: string | readonly string[]
}

/** What the person who asked is told. */
const told = async (work: Promise<unknown>): Promise<Told> =>
  await work.then(
    () => ({ says: 'done' }),
    (error: unknown) => {
      if (error instanceof AuthError) return { code: error.code, says: error.reasons }
      return { says: (error as Error).message }
    },
  )

describe('addUser', () => {
  const add = async (parts: { username?: string; password?: string }) =>
    await addUser(stores, { username: 'alice', password: PASSWORD, role: 'user', ...parts })

  it('makes a user who can log in, and resolves to the id', async () => {
    const id = await add({})

    expect(await letsIn('alice', PASSWORD)).to.equal(true)
    expect(await stores.users.findById(id)).to.include({ username: 'alice', role: 'user' })
  })

  it('keeps a hash, and the password nowhere', async () => {
    await add({})

    expect(JSON.stringify(stores.database.users)).not.to.include(PASSWORD)
    expect(stores.passwords.hashed).to.equal(1)
  })

  it('writes an entry that names the machine itself as the caller', async () => {
    const id = await add({})

    expect(stores.database.logs).to.deep.equal([
      { type: 'USER_ADDED', caller: { ipAddress: 'local', userAgent: null }, userId: id },
    ])
  })

  it('refuses a role that there is not, before any work', async () => {
    const adding = addUser(stores, { username: 'alice', password: PASSWORD, role: 'root' })

    expect(await told(adding)).to.deep.equal({ says: 'there is no role root, only user, admin (ROLES)' })
    expect(stores.passwords.hashed).to.equal(0)
  })

  it('refuses a name that is taken', async () => {
    await add({})

    expect(await told(add({ username: 'ALICE' }))).to.deep.equal({
      code: 'username_taken',
      says: ['there is a user ALICE already'],
    })
  })

  it('refuses an unusable name, before any work', async () => {
    expect(await told(add({ username: ' alice' }))).to.deep.equal({
      code: 'username_invalid',
      says: ['A username has no space at its ends.'],
    })
    expect(stores.passwords.hashed).to.equal(0)
  })

  it('refuses a weak password with every reason, before any work', async () => {
    expect(await told(add({ password: 'Alice' }))).to.deep.equal({
      code: 'password_too_weak',
      says: ['The password is shorter than 8 characters.', 'The password is the same as the username.'],
    })
    expect(stores.passwords.hashed).to.equal(0)
  })

  it('refuses a common password', async () => {
    expect(await told(add({ password: 'password1' }))).to.deep.equal({
      code: 'password_too_weak',
      says: ['The password is among the 10,000 most common ones.'],
    })
  })
})

describe('disableUser', () => {
  it('ends every session of the user, and resolves to their number', async () => {
    const alice = stores.addUser({ username: 'alice' })
    const [one, other] = [await begin(alice), await begin(alice)]

    const count = await disableUser(stores, 'alice')

    expect(count).to.equal(2)
    expect(await stores.journal.isDenied(one)).to.equal(true)
    expect(await stores.journal.isDenied(other)).to.equal(true)
    expect(await letsIn('alice', PASSWORD)).to.equal(false)
  })

  it('ends them batch by batch, and tells of each', async () => {
    const alice = stores.addUser({ username: 'alice' })
    for (let count = 0; count < 5; count++) await begin(alice)
    stores.database.batchSessions = 2
    const told: number[] = []
    const denylist = {
      tell: async (denials: Denial[]) => {
        told.push(denials.length)
        await Promise.resolve()
      },
    }

    expect(await disableUser({ ...stores, denylist }, 'alice')).to.equal(5)
    expect(told).to.deep.equal([2, 2, 1])
  })

  it('resolves to none for a user without sessions', async () => {
    stores.addUser({ username: 'alice' })

    expect(await disableUser(stores, 'alice')).to.equal(0)
  })

  it('says so when there is no such user', async () => {
    expect(await told(disableUser(stores, 'bob'))).to.deep.equal({ says: 'there is no user bob' })
  })
})

describe('enableUser', () => {
  it('lets the user log in again, and no ended session with them', async () => {
    const alice = stores.addUser({ username: 'alice' })
    const before = await begin(alice)
    await disableUser(stores, 'alice')

    await enableUser(stores, 'alice')

    expect(await letsIn('alice', PASSWORD)).to.equal(true)
    expect(await stores.journal.isDenied(before)).to.equal(true)
  })

  it('says so when there is no such user', async () => {
    expect(await told(enableUser(stores, 'bob'))).to.deep.equal({ says: 'there is no user bob' })
  })
})

describe('setPassword', () => {
  it('ends every session, and lets the user in with the new password alone', async () => {
    const alice = stores.addUser({ username: 'alice' })
    const before = await begin(alice)

    const count = await setPassword(stores, { username: 'alice', password: 'a new password' })

    expect(count).to.equal(1)
    expect(await stores.journal.isDenied(before)).to.equal(true)
    expect(await letsIn('alice', PASSWORD)).to.equal(false)
    expect(await letsIn('alice', 'a new password')).to.equal(true)
  })

  it('says so when there is no such user', async () => {
    const change = { username: 'bob', password: 'a new password' }

    expect(await told(setPassword(stores, change))).to.deep.equal({ says: 'there is no user bob' })
  })

  const weak = [
    {
      what: 'is the name of the user',
      password: 'ALICE WONDER',
      reason: 'The password is the same as the username.',
    },
    {
      what: 'is common',
      password: 'password1',
      reason: 'The password is among the 10,000 most common ones.',
    },
  ]
  for (const { what, password, reason } of weak) {
    it(`refuses a password that ${what}, and ends nothing`, async () => {
      const user = stores.addUser({ username: 'alice wonder' })
      const session = await begin(user)

      const refusal = await told(setPassword(stores, { username: 'alice wonder', password }))

      expect(refusal).to.deep.equal({ code: 'password_too_weak', says: [reason] })
      expect(await stores.journal.isDenied(session)).to.equal(false)
      expect(await letsIn('alice wonder', PASSWORD)).to.equal(true)
    })
  }
})

describe('setRole', () => {
  it('ends every session, and gives the role to the next one', async () => {
    const alice = stores.addUser({ username: 'alice' })
    const before = await begin(alice)

    const count = await setRole(stores, { username: 'alice', role: 'admin' })

    expect(count).to.equal(1)
    expect(await stores.journal.isDenied(before)).to.equal(true)
    expect(stores.database.sessions.map(({ endReason }) => endReason)).to.deep.equal(['role_changed'])
    expect(await stores.users.findByUsername('alice')).to.include({ role: 'admin', isActive: true })
    expect(stores.database.logs.at(-1)).to.deep.include({ type: 'ROLE_CHANGED', message: 'to admin' })
  })

  it('says so when there is no such role, and changes nothing', async () => {
    const session = await begin(stores.addUser({ username: 'alice' }))

    expect(await told(setRole(stores, { username: 'alice', role: 'root' }))).to.deep.equal({
      says: 'there is no role root, only user, admin (ROLES)',
    })
    expect(await stores.journal.isDenied(session)).to.equal(false)
    expect(await stores.users.findByUsername('alice')).to.include({ role: 'user' })
  })

  it('says so when there is no such user', async () => {
    expect(await told(setRole(stores, { username: 'bob', role: 'admin' }))).to.deep.equal({
      says: 'there is no user bob',
    })
  })
})
