// Register: an account and a session for whoever asks, within the rules.
import { expect } from 'chai'
import { authenticate } from '../../../../src/auth/tokens/verify-access.ts'
import { register, type RegisterDeps } from '../../../../src/auth/accounts/register.ts'
import { AuthError } from '../../../../src/auth/errors.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('register', () => {
  let stores: MemoryStores

  beforeEach(() => {
    stores = memoryStores()
  })

  const ask = async (username: string, password = PASSWORD, deps: Partial<RegisterDeps> = {}) =>
    await register(
      { ...stores, isCommonPassword: () => false, ...deps },
      { username, password, caller: CALLER },
    )

  it('adds a user of the role user, trimmed, who is logged in at once', async () => {
    const { user, access, refresh } = await ask('  Alice ')

    const claims = await authenticate(stores, access.token)
    expect(user).to.include({ username: 'Alice', role: 'user' })
    expect(claims).to.include({ sub: user.id, scope: 'user' })
    expect(stores.tokens.verify(refresh.token)).to.include({ sid: claims.sid, gen: 0 })
    expect(stores.database.users).to.have.length(1)
    expect(
      await stores.passwords.verify(stores.database.users[0]?.passwordHash ?? '', PASSWORD, CALLER),
    ).to.equal(true)
  })

  it('writes two entries, of the new user and of the login', async () => {
    const { user, sid } = await ask('alice')

    expect(stores.database.logs).to.deep.equal([
      { type: 'USER_ADDED', caller: CALLER, userId: user.id },
      { type: 'USER_LOGIN', caller: CALLER, userId: user.id, sessionId: sid },
    ])
  })

  it('is username_taken for a name that differs in case only, and begins nothing', async () => {
    stores.addUser({ username: 'Alice' })

    expect(await refusalOf(ask('aLICE'))).to.equal('username_taken')
    expect(stores.database.users).to.have.length(1)
    expect(stores.database.sessions).to.deep.equal([])
  })

  it('gives a name to one of five racing callers', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, async () => await refusalOf(ask('alice'))))

    expect(answers.filter((answer) => answer === 'resolved')).to.have.length(1)
    expect(answers.filter((answer) => answer === 'username_taken')).to.have.length(4)
  })

  const refused = [
    { what: 'an empty name', username: ' ', password: PASSWORD, code: 'username_invalid' },
    { what: 'a short password', username: 'alice', password: 'short', code: 'password_too_weak' },
    {
      what: 'the name as password',
      username: 'alice-alice',
      password: 'Alice-Alice',
      code: 'password_too_weak',
    },
  ]
  for (const { what, username, password, code } of refused) {
    it(`is ${code} for ${what}, with reasons, and hashes nothing`, async () => {
      const error: unknown = await ask(username, password).catch((caught: unknown) => caught)

      expect(error).to.be.instanceOf(AuthError).and.include({ code })
      expect((error as AuthError).reasons).to.have.length(1)
      expect(stores.passwords.hashed).to.equal(0)
    })
  }

  it('is password_too_weak for a common password', async () => {
    expect(await refusalOf(ask('alice', PASSWORD, { isCommonPassword: () => true }))).to.equal(
      'password_too_weak',
    )
  })

  it('is throttled for an address that asks too often, and hashes nothing more', async () => {
    for (let i = 0; i < 120; i++) await refusalOf(ask('alice', 'short'))

    expect(await refusalOf(ask('alice'))).to.equal('throttled')
    expect(stores.passwords.hashed).to.equal(0)
  })

  it('leaves an account that can log in when the session cannot begin', async () => {
    const sessions = {
      ...stores.sessions,
      begin: async () => await Promise.reject(new AuthError('unavailable')),
    }

    expect(await refusalOf(ask('alice', PASSWORD, { sessions }))).to.equal('unavailable')
    expect(stores.database.users.map(({ username }) => username)).to.deep.equal(['alice'])
  })

  it('is unavailable while the store is down', async () => {
    stores.database.isAnswering = false

    expect(await refusalOf(ask('alice'))).to.equal('unavailable')
  })
})
