// What every log of events must keep.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { logEntry, CALLER } from '../support/builders/account.ts'
import type { CreateStore, StoreSubject } from './store-subject.ts'

export function auditLogConformance(name: string, create: CreateStore): void {
  describe(`${name} as AuditLog`, () => {
    let store: StoreSubject

    beforeEach(async () => {
      store = await create()
    })
    afterEach(async () => {
      await store.close()
    })

    it('keeps who asked, what for, and about whom', async () => {
      const userId = uuidv7()

      await store.auditLog.write(logEntry('USER_LOGIN_FAILED', { userId, message: 'wrong password' }))

      expect(await store.entries()).to.deep.equal([
        { type: 'USER_LOGIN_FAILED', userId, sessionId: null, ...CALLER, message: 'wrong password' },
      ])
    })

    it('keeps an entry about nobody, from a caller without a user agent', async () => {
      const caller = { ipAddress: '2001:db8::1', userAgent: null }

      await store.auditLog.write({ type: 'USER_LOGIN_FAILED', caller })

      expect(await store.entries()).to.deep.equal([
        { type: 'USER_LOGIN_FAILED', userId: null, sessionId: null, ...caller, message: null },
      ])
    })

    it('keeps text as it is, quotes and line breaks included', async () => {
      const userAgent = `Robert'); DROP TABLE logs;--\n"{}" \u00e9\u{1f512}`

      await store.auditLog.write(logEntry('USER_LOGIN_FAILED', { caller: { ipAddress: '::1', userAgent } }))

      expect((await store.entries()).map((entry) => entry.userAgent)).to.deep.equal([userAgent])
    })

    it('resolves when the entry cannot be written', async () => {
      await store.breakEntries()

      const outcome = await store.auditLog.write(logEntry('USER_LOGIN_FAILED')).then(() => 'resolved')

      expect(outcome).to.equal('resolved')
    })
  })
}
