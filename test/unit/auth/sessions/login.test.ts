// Login: one session for the right name and password, and no hint to anybody else.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import { login, type LoginDeps } from '../../../../src/auth/sessions/login.ts'
import { verifyRefresh } from '../../../../src/auth/tokens/verify-refresh.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { fastHash } from '../../../support/fakes/fast-passwords.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('login', () => {
  let stores: MemoryStores

  beforeEach(() => {
    stores = memoryStores()
  })

  const ask = async (username: string, password = PASSWORD, deps: Partial<LoginDeps> = {}) =>
    await login({ ...stores, ...deps }, { username, password, rotates: false, caller: CALLER })

  describe('with the right name and password', () => {
    it('begins one session, which both tokens name', async () => {
      const alice = stores.addUser({ username: 'alice', role: 'admin' })

      const begun = await ask('Alice')

      const [session, ...others] = stores.database.sessions
      const access = stores.tokens.verify(begun.access.token)
      const refresh = stores.tokens.verify(begun.refresh.token)
      expect(others).to.deep.equal([])
      expect([access.sid, refresh.sid]).to.deep.equal([session?.id, session?.id])
      expect([access.token_type, refresh.token_type]).to.deep.equal(['access', 'refresh'])
      expect([access.sub, refresh.sub]).to.deep.equal([alice.id, alice.id])
      expect([access.scope, refresh.scope]).to.deep.equal(['admin', 'admin'])
      expect(session).to.include({ userId: alice.id, refreshJti: refresh.jti, endReason: null })
      expect(session?.expiresAtMs).to.equal(refresh.exp * 1000)
      expect(begun.sid).to.equal(session?.id)
    })

    it('tells who has logged in, and nothing of the password', async () => {
      const { id } = stores.addUser({ username: 'Alice', role: 'admin' })

      const { user } = await ask('ALICE')

      expect(user).to.deep.equal({ id, username: 'Alice', role: 'admin' })
    })

    for (const { rotates, gen } of [
      { rotates: true, gen: 0 },
      { rotates: false, gen: undefined },
    ]) {
      it(`signs a refresh token of generation ${gen ?? 'none'} where rotates is ${rotates}`, async () => {
        stores.addUser({ username: 'alice' })

        const input = { username: 'alice', password: PASSWORD, rotates, caller: CALLER }
        const { refresh } = await login(stores, input)

        expect(verifyRefresh(stores.tokens, refresh.token).gen).to.equal(gen)
        expect(stores.database.sessions[0]).to.include({ generation: 0, rotatedAtMs: null })
      })
    }

    it('is another session each time', async () => {
      stores.addUser({ username: 'alice' })

      await Promise.all([ask('alice'), ask('alice'), ask('alice')])

      expect(new Set(stores.database.sessions.map(({ id }) => id)).size).to.equal(3)
    })

    it('writes one entry, of the login', async () => {
      const alice = stores.addUser({ username: 'alice' })

      await ask('alice')

      const sessionId = stores.database.sessions[0]?.id
      expect(stores.database.logs).to.deep.equal([
        { type: 'USER_LOGIN', caller: CALLER, userId: alice.id, sessionId },
      ])
    })

    it('ends the oldest session beyond the bound, also in the denylist', async () => {
      stores.addUser({ username: 'alice' })
      const input = { username: 'alice', password: PASSWORD, rotates: true, caller: CALLER }
      const deps = { ...stores, maxSessionsPerUser: 2 }

      const oldest = await login(deps, input)
      await login(deps, input)
      const before = [...stores.denylist.denials.keys()]
      await login(deps, input)

      expect(stores.database.sessions.map(({ endReason }) => endReason)).to.deep.equal([
        'too_many_sessions',
        null,
        null,
      ])
      expect(before).to.deep.equal([])
      expect([...stores.denylist.denials.keys()]).to.deep.equal([oldest.sid])
    })

    it('keeps a hash of today as it is', async () => {
      const alice = stores.addUser({ username: 'alice' })

      await ask('alice')

      expect(stores.passwords.hashed).to.equal(0)
      expect(stores.database.users[0]?.passwordHash).to.equal(alice.passwordHash)
    })

    it('replaces an outdated hash by one of today', async () => {
      stores.addUser({ username: 'alice', passwordHash: fastHash(PASSWORD, 'fast-1') })

      await ask('alice')

      const stored = stores.database.users[0]?.passwordHash ?? ''
      expect(stores.passwords.isOutdated(stored)).to.equal(false)
      expect(await stores.passwords.verify(stored, PASSWORD, CALLER)).to.equal(true)
    })

    it('lets two devices in at once when the hash is outdated', async () => {
      stores.addUser({ username: 'alice', passwordHash: fastHash(PASSWORD, 'fast-1') })

      const answers = await Promise.all([refusalOf(ask('alice')), refusalOf(ask('alice'))])

      expect(answers).to.deep.equal(['resolved', 'resolved'])
    })
  })

  const refused = [
    { who: 'an unknown user', username: 'nobody', password: PASSWORD },
    { who: 'a wrong password', username: 'alice', password: 'wrong' },
    { who: 'an inactive user', username: 'inactive', password: PASSWORD },
    { who: 'an inactive user with a wrong password', username: 'inactive', password: 'wrong' },
    { who: 'an inactive user with an outdated hash', username: 'asleep', password: PASSWORD },
    { who: 'an outdated hash and a wrong password', username: 'outdated', password: 'wrong' },
  ]
  for (const { who, username, password } of refused) {
    describe(`with ${who}`, () => {
      beforeEach(() => {
        stores.addUser({ username: 'alice' })
        stores.addUser({ username: 'inactive', isActive: false })
        stores.addUser({ username: 'asleep', isActive: false, passwordHash: fastHash(PASSWORD, 'fast-1') })
        stores.addUser({ username: 'outdated', passwordHash: fastHash(PASSWORD, 'fast-1') })
      })

      it('is credentials_invalid, and begins nothing', async () => {
        expect(await refusalOf(ask(username, password))).to.equal('credentials_invalid')
        expect(stores.database.sessions).to.deep.equal([])
      })

      it('costs one verification and no hash', async () => {
        await refusalOf(ask(username, password))

        expect(stores.passwords.verified).to.have.length(1)
        expect(stores.passwords.hashed).to.equal(0)
      })

      it('writes one entry, with neither name nor password in it', async () => {
        await refusalOf(ask(username, password))

        const text = JSON.stringify(stores.database.logs)
        expect(stores.database.logs.map(({ type }) => type)).to.deep.equal(['USER_LOGIN_FAILED'])
        expect(text).not.to.include(username)
        expect(text).not.to.include(password)
      })
    })
  }

  it('verifies the decoy where there is no account, which nobody can have the password of', async () => {
    await refusalOf(ask('nobody'))

    expect(stores.passwords.verified).to.deep.equal([stores.decoyHash])
  })

  it('lets nobody in with the password of the decoy', async () => {
    const answer = await refusalOf(
      ask('nobody', 'known', { decoyHash: await stores.passwords.hash('known', CALLER) }),
    )

    expect(answer).to.equal('credentials_invalid')
    expect(stores.database.sessions).to.deep.equal([])
  })

  describe('while the account changes under it', () => {
    const meanwhile = (change: () => void): LoginDeps['passwords'] => ({
      ...stores.passwords,
      verify: async (hash, password) => {
        const matches = await stores.passwords.verify(hash, password, CALLER)
        change()
        return matches
      },
    })

    it('is credentials_invalid for a user who is disabled after the account was read', async () => {
      stores.addUser({ username: 'alice' })
      const passwords = meanwhile(() => {
        for (const user of stores.database.users) user.isActive = false
      })

      expect(await refusalOf(ask('alice', PASSWORD, { passwords }))).to.equal('credentials_invalid')
      expect(stores.database.sessions).to.deep.equal([])
      expect(stores.database.logs.map(({ type }) => type)).to.deep.equal(['USER_LOGIN_FAILED'])
    })

    it('is credentials_invalid for the old password when it is changed after the account was read', async () => {
      stores.addUser({ username: 'alice' })
      const passwords = meanwhile(() => {
        for (const user of stores.database.users) user.passwordHash = fastHash('a new password')
      })

      expect(await refusalOf(ask('alice', PASSWORD, { passwords }))).to.equal('credentials_invalid')
      expect(stores.database.sessions).to.deep.equal([])
    })
  })

  describe('slows guessing', () => {
    beforeEach(() => {
      stores.addUser({ username: 'alice' })
    })

    it('is throttled after ten wrong guesses and one more, without a look at the password', async () => {
      for (let guess = 0; guess < 11; guess++) await refusalOf(ask('alice', 'wrong'))
      const verified = stores.passwords.verified.length

      const answer = await refusalOf(ask('alice'))

      expect(answer).to.equal('throttled')
      expect(stores.passwords.verified).to.have.length(verified)
    })

    it('is throttled alike for a name that nobody has', async () => {
      const answersFor = async (username: string) => {
        const answers: string[] = []
        for (let guess = 0; guess < 14; guess++) answers.push(await refusalOf(ask(username, 'wrong')))
        return answers
      }

      expect(await answersFor('nobody')).to.deep.equal(await answersFor('alice'))
      expect(await refusalOf(ask('nobody'))).to.equal('throttled')
    })

    it('lets the same user in from another address meanwhile', async () => {
      for (let guess = 0; guess < 12; guess++) await refusalOf(ask('alice', 'wrong'))
      const caller = { ...CALLER, ipAddress: '198.51.100.9', isWaiting: () => true, isInTime: () => true }

      const elsewhere = login(stores, { username: 'alice', password: PASSWORD, rotates: false, caller })

      expect(await refusalOf(elsewhere)).to.equal('resolved')
    })

    it('counts no failure of ours as a wrong guess', async () => {
      stores.database.isAnswering = false
      for (let guess = 0; guess < 20; guess++) await refusalOf(ask('alice'))
      stores.database.isAnswering = true

      expect(await refusalOf(ask('alice'))).to.equal('resolved')
    })
  })

  describe('while something is down', () => {
    beforeEach(() => {
      stores.addUser({ username: 'alice' })
    })

    it('is unavailable without a store of users', async () => {
      stores.database.isAnswering = false

      expect(await refusalOf(ask('alice'))).to.equal('unavailable')
      expect(await refusalOf(ask('nobody'))).to.equal('unavailable')
    })

    it('is unavailable when no more hashes can wait, for whomever', async () => {
      stores.passwords.isFull = true

      expect(await refusalOf(ask('alice'))).to.equal('unavailable')
      expect(await refusalOf(ask('nobody'))).to.equal('unavailable')
    })

    it('is unavailable, with no token given out, when the session cannot be written', async () => {
      const sessions = {
        ...stores.sessions,
        begin: async () => await Promise.reject(new AuthError('unavailable')),
      }

      expect(await refusalOf(ask('alice', PASSWORD, { sessions }))).to.equal('unavailable')
      expect(stores.database.logs).to.deep.equal([])
    })

    it('works while no log entry can be written', async () => {
      stores.database.takesEntries = false

      expect(await refusalOf(ask('alice'))).to.equal('resolved')
      expect(await refusalOf(ask('alice', 'wrong'))).to.equal('credentials_invalid')
    })
  })
})
