// Log entries of statements that something else held up for a moment.
import { expect } from 'chai'
import { account, logEntry } from '../../../support/builders/account.ts'
import { ending, logOut, storedSession, storedUser } from '../../../support/builders/stored-session.ts'
import { postgresStoreSubject, type PostgresStoreSubject } from '../../../support/postgres-store-subject.ts'

describe('a log entry of a statement that met a lock', () => {
  let store: PostgresStoreSubject

  before(async () => {
    store = await postgresStoreSubject()
  })
  after(async () => {
    await store.close()
  })

  it('names the user also where an operator changed one', async () => {
    const user = await storedUser(store, account())
    await storedSession(store, user)
    const locked = store.database.sql(
      'DO $$ BEGIN LOCK TABLE revocations IN SHARE MODE; PERFORM pg_sleep(0.3); END $$',
    )
    await new Promise((resolve) => setTimeout(resolve, 100))

    await store.userAdmin.disable(user.username, logEntry('USER_DISABLED'))
    await locked

    expect((await store.entries()).at(-1)).to.include({ type: 'USER_DISABLED', userId: user.id })
  })

  it('is written all the same, and no loss is reported', async () => {
    const user = await storedUser(store, account())
    const session = await storedSession(store, user)
    const locked = store.database.sql(
      'DO $$ BEGIN LOCK TABLE revocations IN SHARE MODE; PERFORM pg_sleep(0.3); END $$',
    )
    await new Promise((resolve) => setTimeout(resolve, 100))

    const failuresBefore = store.entryFailures()
    const ids = { userId: user.id, sessionId: session.id }
    const denial = await store.sessions.end(ending(session), logEntry('USER_LOGOUT', ids))
    await locked

    expect(denial?.id).to.equal(session.id)
    expect(store.entryFailures()).to.equal(failuresBefore)
    expect((await store.entries()).at(-1)).to.include({ type: 'USER_LOGOUT', ...ids })
  })

  it('holds up nothing else when the table of the entries is locked', async () => {
    const user = await storedUser(store, account())
    const sessions = await Promise.all(
      Array.from({ length: 60 }, async () => await storedSession(store, user)),
    )
    const locked = store.database.sql(
      'DO $$ BEGIN LOCK TABLE logs IN ACCESS EXCLUSIVE MODE; PERFORM pg_sleep(3); END $$',
    )
    await new Promise((resolve) => setTimeout(resolve, 100))

    const denials = await Promise.all(sessions.map(async (session) => await logOut(store, session)))
    await locked

    expect(denials.filter((denial) => denial !== null)).to.have.length(60)
    expect(store.entryFailures()).to.be.within(1, 60)
  })
})
