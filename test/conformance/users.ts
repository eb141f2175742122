// What every directory of users must find.
import { expect } from 'chai'
import { account, logEntry } from '../support/builders/account.ts'
import type { CreateStore, StoreSubject } from './store-subject.ts'

export function usersConformance(name: string, create: CreateStore): void {
  describe(`${name} as Users`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    it('finds an account by its name', async () => {
      const user = account({ username: 'alice', role: 'admin' })
      await store.userAdmin.add(user, logEntry('USER_ADDED'))

      expect(await store.users.findByUsername('alice')).to.deep.equal(user)
    })

    it('finds nobody under a name that is not there', async () => {
      await store.userAdmin.add(account({ username: 'alice' }), logEntry('USER_ADDED'))

      for (const absent of ['alic', 'alice2', 'a%', 'alice ', '']) {
        expect(await store.users.findByUsername(absent), absent).to.equal(null)
      }
    })

    const spellings = [
      { stored: 'Alice', asked: 'aLICE', what: 'in another case' },
      { stored: 'JOSÉ', asked: 'josé', what: 'in another case, beyond ASCII' },
      { stored: 'José', asked: 'Jose\u0301', what: 'with the accent as a character of its own' },
      { stored: 'ΣΊΣΥΦΟΣ', asked: 'Σίσυφος', what: 'in Greek, whose sigma has two small forms' },
    ]
    for (const { stored, asked, what } of spellings) {
      it(`finds an account by its name ${what}, and keeps the name as it was given`, async () => {
        await store.userAdmin.add(account({ username: stored }), logEntry('USER_ADDED'))

        expect((await store.users.findByUsername(asked))?.username).to.equal(stored)
      })
    }

    it('finds a disabled account, and says that it is', async () => {
      const user = account({ username: 'alice' })
      await store.userAdmin.add(user, logEntry('USER_ADDED'))
      await store.userAdmin.disable('alice', logEntry('USER_DISABLED'))

      expect(await store.users.findByUsername('alice')).to.deep.equal({ ...user, isActive: false })
    })
  })
}
