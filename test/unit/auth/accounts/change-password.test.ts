// Password change: the one who asks stays, everybody else is out.
import { expect } from 'chai'
import { changePassword, type ChangePasswordDeps } from '../../../../src/auth/accounts/change-password.ts'
import { login } from '../../../../src/auth/sessions/login.ts'
import { refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { authenticate } from '../../../../src/auth/tokens/verify-access.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { liveSessions, type LoggedIn } from '../../../support/builders/logged-in.ts'
import { fastHash } from '../../../support/fakes/fast-passwords.ts'
import { halfEnded, loggedInTwice } from '../../../support/builders/logged-in-twice.ts'
import { PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const NEW_PASSWORD = 'incorrect zebra capacitor pin'

describe('change password', () => {
  let stores: MemoryStores
  let here: LoggedIn
  let elsewhere: LoggedIn

  beforeEach(async () => {
    ;({ stores, here, elsewhere } = await loggedInTwice())
  })

  const ask = async (
    currentPassword = PASSWORD,
    newPassword = NEW_PASSWORD,
    deps: Partial<ChangePasswordDeps> = {},
  ) => {
    await changePassword(
      { ...stores, isCommonPassword: () => false, ...deps },
      { claims: here.claims, currentPassword, newPassword, caller: CALLER },
    )
  }
  const refreshed = async ({ refresh: token }: LoggedIn) =>
    await refusalOf(refreshRotating(stores, { token, caller: CALLER }))
  const stored = () => stores.database.users[0]?.passwordHash ?? ''

  it('stores the new password, and ends every session but the one that asks', async () => {
    await ask()

    expect(await stores.passwords.verify(stored(), NEW_PASSWORD, CALLER)).to.equal(true)
    expect(liveSessions(stores)).to.deep.equal([here.claims.sid])
    expect(await refreshed(here)).to.equal('resolved')
    expect(await refreshed(elsewhere)).to.equal('token_denied')
  })

  it('has the access tokens of the other sessions refused at once', async () => {
    await ask()

    expect(await refusalOf(authenticate(stores, here.access))).to.equal('resolved')
    expect(await refusalOf(authenticate(stores, elsewhere.access))).to.equal('token_denied')
  })

  it('writes one entry, of the session that asked', async () => {
    await ask()

    expect(stores.database.logs.slice(2)).to.deep.equal([
      { type: 'PASSWORD_CHANGED', caller: CALLER, userId: here.claims.sub, sessionId: here.claims.sid },
    ])
  })

  it('is credentials_invalid for a wrong current password, changes nothing, and writes that down', async () => {
    const before = stored()

    expect(await refusalOf(ask('wrong'))).to.equal('credentials_invalid')
    expect(stored()).to.equal(before)
    expect(liveSessions(stores)).to.have.length(2)
    expect(stores.database.logs.at(-1)).to.include({ type: 'USER_LOGIN_FAILED', sessionId: here.claims.sid })
  })

  it('is throttled after ten wrong guesses, counted together with those at login', async () => {
    for (let i = 0; i < 5; i++) await refusalOf(ask('wrong'))
    for (let i = 0; i < 5; i++) await refusalOf(loggedInWith('wrong'))

    await refusalOf(ask('wrong'))
    expect(await refusalOf(ask())).to.equal('throttled')
    expect(await refusalOf(loggedInWith(PASSWORD))).to.equal('throttled')
  })

  it('is password_too_weak before the current one is looked at, which is no guess', async () => {
    const verified = stores.passwords.verified.length

    expect(await refusalOf(ask('wrong', 'short'))).to.equal('password_too_weak')
    expect(await refusalOf(ask(PASSWORD, 'ALICE'))).to.equal('password_too_weak')
    expect(stores.passwords.verified).to.have.length(verified)
    expect(Object.keys(stores.attempts.counts()).filter((key) => key.startsWith('pair'))).to.deep.equal([])
  })

  it('works though a login elsewhere renews the hash meanwhile', async () => {
    const passwords = { ...stores.passwords, hash: renewingOnce(() => fastHash(PASSWORD)) }

    expect(await refusalOf(ask(PASSWORD, NEW_PASSWORD, { passwords }))).to.equal('resolved')
    expect(await stores.passwords.verify(stored(), NEW_PASSWORD, CALLER)).to.equal(true)
  })

  it('is credentials_invalid when the password is changed meanwhile', async () => {
    const passwords = { ...stores.passwords, hash: renewingOnce(() => fastHash('a third password')) }

    expect(await refusalOf(ask(PASSWORD, NEW_PASSWORD, { passwords }))).to.equal('credentials_invalid')
    expect(await stores.passwords.verify(stored(), 'a third password', CALLER)).to.equal(true)
  })

  it('is credentials_invalid when the account changes again and again', async () => {
    const ownAccount = { ...stores.ownAccount, changePassword: async () => await Promise.resolve(null) }

    expect(await refusalOf(ask(PASSWORD, NEW_PASSWORD, { ownAccount }))).to.equal('credentials_invalid')
  })

  it('is token_denied for a user who was disabled or deleted', async () => {
    for (const user of stores.database.users) user.isActive = false
    const disabled = await refusalOf(ask())
    stores.database.users.length = 0
    const deleted = await refusalOf(ask())

    expect([disabled, deleted]).to.deep.equal(['token_denied', 'token_denied'])
  })

  it('is unavailable while the store is down, or no more hashes can wait', async () => {
    stores.passwords.isFull = true
    const full = await refusalOf(ask())
    stores.database.isAnswering = false
    const down = await refusalOf(ask())

    expect([full, down]).to.deep.equal(['unavailable', 'unavailable'])
  })

  describe('whose other sessions cannot all be ended', () => {
    const half = async () =>
      await halfEnded(stores, async (failing) => {
        await ask(PASSWORD, NEW_PASSWORD, failing)
      })

    it('is unavailable, holds, and is done when the very same is asked again', async () => {
      const answer = await half()
      const between = liveSessions(stores).length
      const again = await refusalOf(ask())

      expect([answer, again]).to.deep.equal(['unavailable', 'resolved'])
      expect(between).to.equal(4)
      expect(await stores.passwords.verify(stored(), NEW_PASSWORD, CALLER)).to.equal(true)
      expect(liveSessions(stores)).to.deep.equal([here.claims.sid])
    })

    it('takes the new password for the current one, too', async () => {
      await half()

      expect(await refusalOf(ask(NEW_PASSWORD, 'a third password'))).to.equal('resolved')
      expect(liveSessions(stores)).to.deep.equal([here.claims.sid])
    })

    it('is credentials_invalid for two wrong passwords, and for the old one once all is done', async () => {
      await half()

      expect(await refusalOf(ask('wrong', 'a third password'))).to.equal('credentials_invalid')
      await ask()
      expect(await refusalOf(ask())).to.equal('credentials_invalid')
    })
  })

  async function loggedInWith(password: string): Promise<unknown> {
    return await login(stores, { username: 'alice', password, rotates: true, caller: CALLER })
  }

  /** Hashes, and the first time puts another hash into the store meanwhile. */
  function renewingOnce(renewed: () => string): (password: string) => Promise<string> {
    let isFirst = true
    return async (password) => {
      const hash = await stores.passwords.hash(password, CALLER)
      if (isFirst) for (const user of stores.database.users) user.passwordHash = renewed()
      isFirst = false
      return hash
    }
  }
})
