// Removing one's own account: nothing of it can be used any more.
import { expect } from 'chai'
import { login } from '../../../../src/auth/sessions/login.ts'
import { readAccount } from '../../../../src/auth/accounts/read-account.ts'
import { refreshRotating } from '../../../../src/auth/sessions/refresh.ts'
import { removeAccount } from '../../../../src/auth/accounts/remove-account.ts'
import { authenticate } from '../../../../src/auth/tokens/verify-access.ts'
import { CALLER } from '../../../support/builders/account.ts'
import { liveSessions, loggedIn, type LoggedIn } from '../../../support/builders/logged-in.ts'
import { halfEnded, loggedInTwice } from '../../../support/builders/logged-in-twice.ts'
import { memoryStores, PASSWORD, type MemoryStores } from '../../../support/fakes/memory-stores.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('remove account', () => {
  let stores: MemoryStores
  let here: LoggedIn
  let elsewhere: LoggedIn

  beforeEach(async () => {
    ;({ stores, here, elsewhere } = await loggedInTwice())
  })

  const ask = async (password = PASSWORD) => {
    await removeAccount(stores, { claims: here.claims, password, caller: CALLER })
  }

  it('forgets the user, and has every token of every session refused', async () => {
    await ask()

    expect(stores.database.users).to.deep.equal([])
    for (const { access, refresh: token } of [here, elsewhere]) {
      expect(await refusalOf(authenticate(stores, access))).to.equal('token_denied')
      expect(await refusalOf(refreshRotating(stores, { token, caller: CALLER }))).to.equal('token_denied')
    }
  })

  it('leaves login as it is for names that nobody has', async () => {
    await ask()

    const input = { username: 'alice', password: PASSWORD, rotates: true, caller: CALLER }
    expect(await refusalOf(login(stores, input))).to.equal('credentials_invalid')
    expect(stores.passwords.verified.at(-1)).to.equal(stores.decoyHash)
  })

  it('writes one entry, which outlives the user', async () => {
    await ask()

    expect(stores.database.logs.at(-1)).to.deep.equal({
      type: 'USER_DELETED',
      caller: CALLER,
      userId: here.claims.sub,
      sessionId: here.claims.sid,
    })
  })

  it('is credentials_invalid for a wrong password, and removes nothing', async () => {
    expect(await refusalOf(ask('wrong'))).to.equal('credentials_invalid')
    expect(stores.database.users).to.have.length(1)
    expect(liveSessions(stores)).to.have.length(2)
  })

  it('is throttled after ten wrong guesses', async () => {
    for (let i = 0; i < 11; i++) await refusalOf(ask('wrong'))

    expect(await refusalOf(ask())).to.equal('throttled')
    expect(stores.database.users).to.have.length(1)
  })

  describe('whose sessions cannot all be ended', () => {
    const half = async () =>
      await halfEnded(stores, async (failing) => {
        await removeAccount(failing, { claims: here.claims, password: PASSWORD, caller: CALLER })
      })

    it('is unavailable, closes the account, and is done when the same is asked again', async () => {
      const answer = await half()
      const lateLogin = await refusalOf(loggedIn(stores))
      const rotation = await refusalOf(refreshRotating(stores, { token: here.refresh, caller: CALLER }))
      const again = await refusalOf(ask())

      expect([answer, again]).to.deep.equal(['unavailable', 'resolved'])
      expect([lateLogin, rotation]).to.deep.equal(['credentials_invalid', 'token_denied'])
      expect(stores.database.users).to.deep.equal([])
      expect(await refusalOf(authenticate(stores, here.access))).to.equal('token_denied')
    })

    it('is token_denied once an operator has disabled it', async () => {
      await half()
      await stores.userAdmin.disable('alice', { type: 'USER_DISABLED', caller: CALLER })

      expect(await refusalOf(ask())).to.equal('token_denied')
      expect(stores.database.users).to.have.length(1)
    })
  })

  it('is token_denied the second time', async () => {
    await ask()

    expect(await refusalOf(ask())).to.equal('token_denied')
  })
})

describe('read account', () => {
  it('is the account as it is now, and token_denied once it is disabled or deleted', async () => {
    const stores = memoryStores()
    const alice = stores.addUser({ username: 'alice' })

    const account = await readAccount(stores, alice.id)
    for (const user of stores.database.users) user.isActive = false
    const disabled = await refusalOf(readAccount(stores, alice.id))
    stores.database.users.length = 0
    const deleted = await refusalOf(readAccount(stores, alice.id))

    expect(account).to.deep.equal(alice)
    expect([disabled, deleted]).to.deep.equal(['token_denied', 'token_denied'])
  })
})
