// The user's own log entries, page by page.
import { expect } from 'chai'
import { readEvents } from '../../../../src/auth/accounts/read-events.ts'
import { logEntry } from '../../../support/builders/account.ts'
import { loggedIn, type LoggedIn } from '../../../support/builders/logged-in.ts'
import { memoryStores, type MemoryStores } from '../../../support/fakes/memory-stores.ts'

describe('read events', () => {
  let stores: MemoryStores
  let here: LoggedIn

  beforeEach(async () => {
    stores = memoryStores()
    stores.addUser({ username: 'alice' })
    here = await loggedIn(stores)
    await stores.auditLog.write(logEntry('USER_LOGIN_FAILED', { userId: here.claims.sub }))
    await stores.auditLog.write(logEntry('USER_LOGIN_FAILED', { message: 'unknown user' }))
    await stores.auditLog.write(logEntry('PASSWORD_CHANGED', { userId: here.claims.sub }))
  })

  const page = async (limit: number, before: string | null = null) => {
    const { events, next } = await readEvents(stores, { claims: here.claims, before, limit })
    return { types: events.map(({ type }) => type), next }
  }

  it('are the user’s, the newest first, with no next page where all are shown', async () => {
    const expected = { types: ['PASSWORD_CHANGED', 'USER_LOGIN_FAILED', 'USER_LOGIN'], next: null }

    expect(await page(50)).to.deep.equal(expected)
    expect(await page(3)).to.deep.equal(expected)
  })

  it('go on where the page before ended', async () => {
    const first = await page(2)
    const second = await page(2, first.next)

    expect(first.types).to.deep.equal(['PASSWORD_CHANGED', 'USER_LOGIN_FAILED'])
    expect(second).to.deep.equal({ types: ['USER_LOGIN'], next: null })
  })
})
