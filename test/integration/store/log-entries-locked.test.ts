// Log entries of statements that something else held up for a moment.
import { expect } from 'chai'
import { account, logEntry } from '../../support/builders/account.ts'
import { ending, storedSession, storedUser } from '../../support/builders/stored-session.ts'
import { postgresStoreSubject, type PostgresStoreSubject } from '../../support/postgres-store-subject.ts'

describe('a log entry of a statement that met a lock', () => {
  let store: PostgresStoreSubject

  before(async () => {
    store = await postgresStoreSubject()
  })
  after(async () => {
    await store.close()
  })

  it('is written all the same, and no loss is reported', async () => {
    const user = await storedUser(store, account())
    const session = await storedSession(store, user)
    const locked = store.database.sql(
      'DO $$ BEGIN LOCK TABLE revocations IN SHARE MODE; PERFORM pg_sleep(0.8); END $$',
    )
    await new Promise((resolve) => setTimeout(resolve, 100))

    const ids = { userId: user.id, sessionId: session.id }
    const denial = await store.sessions.end(ending(session), logEntry('USER_LOGOUT', ids))
    await locked

    expect(denial?.id).to.equal(session.id)
    expect(store.entryFailures()).to.equal(0)
    expect((await store.entries()).at(-1)).to.include({ type: 'USER_LOGOUT', ...ids })
  })
})
