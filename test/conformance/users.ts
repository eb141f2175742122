// What every directory of users must find.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
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

      for (const absent of ['alic', 'alice2', 'a%', 'ali ce', '']) {
        expect(await store.users.findByUsername(absent), absent).to.equal(null)
      }
    })

    const spellings = [
      { stored: 'Alice', asked: 'aLICE', what: 'in another case' },
      { stored: 'JOSÉ', asked: 'josé', what: 'in another case, beyond ASCII' },
      { stored: 'José', asked: 'Jose\u0301', what: 'with the accent as a character of its own' },
      { stored: 'ΣΊΣΥΦΟΣ', asked: 'Σίσυφος', what: 'in Greek, whose sigma has two small forms' },
      { stored: 'alice', asked: ' alice\u00a0', what: 'with spaces around it' },
      { stored: 'alice', asked: 'ＡＬＩＣＥ', what: 'in fullwidth letters' },
      { stored: 'ａｌｉｃｅ@example.com', asked: 'alice＠example.com', what: 'in other widths' },
      { stored: 'ガラパゴス', asked: 'ｶﾞﾗﾊﾟｺﾞｽ', what: 'in halfwidth Katakana' },
      { stored: 'J\u030C', asked: '\u01F0', what: 'whose small letter has a character of its own' },
    ]
    for (const { stored, asked, what } of spellings) {
      it(`finds an account by its name ${what}, and keeps the name as it was given`, async () => {
        await store.userAdmin.add(account({ username: stored }), logEntry('USER_ADDED'))

        expect((await store.users.findByUsername(asked))?.username).to.equal(stored)
      })
    }

    describe('of an account that was made when widths counted', () => {
      it('finds it by every spelling that it was found by then', async () => {
        const user = account({ username: 'Ａlice' })
        await store.addFormerly(user)

        for (const spelling of ['Ａlice', 'ａLICE', ' Ａlice ']) {
          expect(await store.users.findByUsername(spelling), spelling).to.deep.equal(user)
        }
      })

      it('finds it rather than another one, which has the name in the usual width', async () => {
        const [former, usual] = [account({ username: 'ａlice' }), account({ username: 'alice' })]
        await store.addFormerly(former)
        await store.addFormerly(usual)

        expect(await store.users.findByUsername('ａlice')).to.deep.equal(former)
        expect(await store.users.findByUsername('alice')).to.deep.equal(usual)
        expect(await store.users.findByUsername('ａｌice')).to.deep.equal(usual)
      })
    })

    it('finds an account by its id, disabled or not', async () => {
      const user = account({ username: 'alice', role: 'admin' })
      await store.userAdmin.add(user, logEntry('USER_ADDED'))

      const active = await store.users.findById(user.id)
      await store.userAdmin.disable('alice', logEntry('USER_DISABLED'))
      const disabled = await store.users.findById(user.id)

      expect(active).to.deep.equal(user)
      expect(disabled).to.deep.equal({ ...user, isActive: false })
    })

    it('finds nobody under an id that is not there', async () => {
      await store.userAdmin.add(account(), logEntry('USER_ADDED'))

      expect(await store.users.findById(uuidv7())).to.equal(null)
    })

    it('finds a disabled account, and says that it is', async () => {
      const user = account({ username: 'alice' })
      await store.userAdmin.add(user, logEntry('USER_ADDED'))
      await store.userAdmin.disable('alice', logEntry('USER_DISABLED'))

      expect(await store.users.findByUsername('alice')).to.deep.equal({ ...user, isActive: false })
    })
  })
}
