// Log entries of statements that something else held up for a moment.
import { expect } from 'chai'
import { Client } from 'pg'
import { account, logEntry } from '../../../support/builders/account.ts'
import { ending, logOut, storedSession, storedUser } from '../../../support/builders/stored-session.ts'
import { eventually } from '../../../support/service/environment.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'

/** Eight times the service's, and the sixteenth of it that a statement waits for a lock: no machine is that slow. */
const TIMEOUT_MS = 16_000

describe('a log entry of a statement that met a lock', () => {
  let store: PostgresStoreSubject
  let locker: Client

  before(async () => {
    store = await postgresStoreSubject({ timeoutMs: TIMEOUT_MS })
    locker = new Client({ connectionString: store.database.url })
    await locker.connect()
  })
  after(async () => {
    await locker.end()
    await store.close()
  })

  /** Runs `work` against a lock, which is gone once a statement has given up on it. */
  async function passingLock<T>(lock: string, work: () => Promise<T>): Promise<T> {
    const refusals = () => store.log.lines.filter(({ message }) => message === 'Postgres refused a statement')
    const refusedBefore = refusals().length
    await locker.query(`BEGIN; ${lock}`)
    const done = work()
    await eventually(() => refusals().length > refusedBefore)
    await locker.query('ROLLBACK')
    return await done
  }

  it('names the user also where an operator changed one', async () => {
    const user = await storedUser(store, account())
    await storedSession(store, user)

    await passingLock('LOCK TABLE users IN SHARE MODE', async () => {
      await store.userAdmin.disable(user.username, logEntry('USER_DISABLED'))
    })

    expect((await store.entries()).at(-1)).to.include({ type: 'USER_DISABLED', userId: user.id })
  })

  it('is written all the same, and no loss is reported', async () => {
    const user = await storedUser(store, account())
    const session = await storedSession(store, user)
    const failuresBefore = store.entryFailures()
    const ids = { userId: user.id, sessionId: session.id }

    const denial = await passingLock(
      'LOCK TABLE revocations IN SHARE MODE',
      async () => await store.sessions.end(ending(session), logEntry('USER_LOGOUT', ids)),
    )

    expect(denial?.id).to.equal(session.id)
    expect(store.entryFailures()).to.equal(failuresBefore)
    expect((await store.entries()).at(-1)).to.include({ type: 'USER_LOGOUT', ...ids })
  })

  it('holds up nothing else when the table of the entries is locked', async () => {
    const user = await storedUser(store, account())
    const sessions = await Promise.all(
      Array.from({ length: 60 }, async () => await storedSession(store, user)),
    )
    const failuresBefore = store.entryFailures()
    await locker.query('BEGIN; LOCK TABLE logs IN ACCESS EXCLUSIVE MODE')

    // While it is locked, all of them: three times as many as there are connections.
    const denials = await Promise.all(sessions.map(async (session) => await logOut(store, session)))
    await locker.query('ROLLBACK')

    expect(denials.filter((denial) => denial !== null)).to.have.length(60)
    expect(store.entryFailures()).to.equal(failuresBefore + 60)
  })
})
