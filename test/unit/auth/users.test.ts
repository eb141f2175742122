// What an operator may do to users, and what they are told when they may not.
import { expect } from 'chai'
import { v4 as uuidv4 } from 'uuid'
import { login } from '../../../src/auth/login.ts'
import { addUser, disableUser, enableUser, setPassword } from '../../../src/auth/users.ts'
import { ORIGIN } from '../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../support/refusal-of.ts'

const USERNAME_RULE = 'a username has 1 to 150 characters, no control characters and no space at its ends'
const PASSWORD_RULE = 'a password has at least 8 characters and at most 4096 bytes'
const PASSWORD_TEXT_RULE = 'a password is more than spaces and has no NUL characters'

let stores: MemoryStores

beforeEach(() => {
  stores = memoryStores()
})

const logIn = async (username: string, password: string) =>
  await login(stores, { username, password, origin: ORIGIN })

/** What the person who asked is told; `done` when nothing was wrong. */
const told = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'done',
    (error: unknown) => {
      if (error instanceof Error && error.name === 'UserError') return error.message
      throw error
    },
  )

const badPasswords = [
  { what: 'is too short', password: '1234567', rule: PASSWORD_RULE },
  { what: 'is longer than 4096 bytes', password: 'ä'.repeat(2049), rule: PASSWORD_RULE },
  { what: 'is only spaces', password: ' '.repeat(8), rule: PASSWORD_TEXT_RULE },
  { what: 'has a NUL', password: 'long enough\0', rule: PASSWORD_TEXT_RULE },
]

describe('addUser', () => {
  const add = async (parts: { username?: string; password?: string }) =>
    await addUser(stores, { username: 'alice', password: PASSWORD, role: 'user', ...parts })

  it('makes a user who can log in, and resolves to the id', async () => {
    const id = await add({})

    const { access } = await logIn('alice', PASSWORD)
    expect(stores.tokens.verify(access)).to.include({ sub: id, scope: 'user' })
  })

  it('keeps a hash, and the password nowhere', async () => {
    await add({})

    expect(JSON.stringify(stores.database.users)).not.to.include(PASSWORD)
    expect(stores.passwords.hashed).to.equal(1)
  })

  it('writes an entry that names the machine itself as the origin', async () => {
    const id = await add({})

    expect(stores.database.logs).to.deep.equal([
      { type: 'USER_ADDED', origin: { ipAddress: 'local', userAgent: null }, userId: id },
    ])
  })

  it('refuses a name that is taken', async () => {
    await add({})

    expect(await told(add({ username: 'ALICE' }))).to.equal('there is a user ALICE already')
  })

  const badNames = [
    { what: 'is empty', username: '' },
    { what: 'begins with a space', username: ' alice' },
    { what: 'ends with a space', username: 'alice\u00a0' },
    { what: 'has a NUL', username: 'ali\0ce' },
    { what: 'has a line break', username: 'ali\nce' },
    { what: 'has a control character beyond ASCII', username: 'ali\u0085ce' },
    { what: 'has 151 characters', username: 'a'.repeat(151) },
  ]
  for (const { what, username } of badNames) {
    it(`refuses a name that ${what}, before any work`, async () => {
      expect(await told(add({ username }))).to.equal(USERNAME_RULE)
      expect(stores.passwords.hashed).to.equal(0)
    })
  }

  for (const { what, password, rule } of badPasswords) {
    it(`refuses a password that ${what}, before any work`, async () => {
      expect(await told(add({ password }))).to.equal(rule)
      expect(stores.passwords.hashed).to.equal(0)
    })
  }

  it('takes names and passwords at their limits', async () => {
    const atLimits = [
      { username: 'ä'.repeat(150) },
      { username: 'a b' },
      { username: 'b', password: '12345678' },
      { username: 'c', password: 'ä'.repeat(8) },
      { username: 'd', password: 'ä'.repeat(2048) },
      { username: 'e', password: ' padded ' },
    ]

    for (const parts of atLimits) expect(await told(add(parts)), JSON.stringify(parts)).to.equal('done')
  })
})

describe('disableUser', () => {
  it('ends every session of the user, and resolves to their number', async () => {
    stores.addUser({ username: 'alice' })
    const { refresh } = await logIn('alice', PASSWORD)
    await logIn('alice', PASSWORD)

    const count = await disableUser(stores, 'alice')

    const { sid } = stores.tokens.verify(refresh)
    expect(count).to.equal(2)
    expect(await stores.journal.isDenied({ sid, jti: uuidv4() })).to.equal(true)
    expect(await refusalOf(logIn('alice', PASSWORD))).to.equal('credentials_invalid')
  })

  it('resolves to none for a user without sessions', async () => {
    stores.addUser({ username: 'alice' })

    expect(await disableUser(stores, 'alice')).to.equal(0)
  })

  it('says so when there is no such user', async () => {
    expect(await told(disableUser(stores, 'bob'))).to.equal('there is no user bob')
  })
})

describe('enableUser', () => {
  it('lets the user log in again, to a new session', async () => {
    stores.addUser({ username: 'alice' })
    const before = await logIn('alice', PASSWORD)
    await disableUser(stores, 'alice')

    await enableUser(stores, 'alice')

    const { sid } = stores.tokens.verify(before.refresh)
    expect(await refusalOf(logIn('alice', PASSWORD))).to.equal('resolved')
    expect(await stores.journal.isDenied({ sid, jti: uuidv4() })).to.equal(true)
  })

  it('says so when there is no such user', async () => {
    expect(await told(enableUser(stores, 'bob'))).to.equal('there is no user bob')
  })
})

describe('setPassword', () => {
  it('ends every session, and lets the user in with the new password alone', async () => {
    stores.addUser({ username: 'alice' })
    const { refresh } = await logIn('alice', PASSWORD)

    const count = await setPassword(stores, { username: 'alice', password: 'a new password' })

    const { sid } = stores.tokens.verify(refresh)
    expect(count).to.equal(1)
    expect(await stores.journal.isDenied({ sid, jti: uuidv4() })).to.equal(true)
    expect(await refusalOf(logIn('alice', PASSWORD))).to.equal('credentials_invalid')
    expect(await refusalOf(logIn('alice', 'a new password'))).to.equal('resolved')
  })

  it('says so when there is no such user', async () => {
    const change = { username: 'bob', password: 'a new password' }

    expect(await told(setPassword(stores, change))).to.equal('there is no user bob')
  })

  for (const { what, password, rule } of badPasswords) {
    it(`refuses a password that ${what}, and ends nothing`, async () => {
      stores.addUser({ username: 'alice' })
      await logIn('alice', PASSWORD)

      expect(await told(setPassword(stores, { username: 'alice', password }))).to.equal(rule)
      expect(stores.database.revocations).to.deep.equal([])
      expect(await refusalOf(logIn('alice', PASSWORD))).to.equal('resolved')
    })
  }
})
