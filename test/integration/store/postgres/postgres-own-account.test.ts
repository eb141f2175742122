// What users' changes to their own accounts leave behind in Postgres.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import type { NewSession } from '../../../../src/auth/ports/sessions.ts'
import { logEntry } from '../../../support/builders/account.ts'
import { passwordChanged, removed } from '../../../support/builders/ended-sessions.ts'
import { storedSession, storedUser } from '../../../support/builders/stored-session.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

describe('postgresOwnAccount', () => {
  let store: PostgresStoreSubject

  beforeEach(async () => {
    store = await postgresStoreSubject()
  })
  afterEach(async () => {
    await store.close()
  })

  const aliceWithASession = async (): Promise<NewSession> =>
    await storedSession(store, await storedUser(store, { username: 'alice' }))

  const rows = async () =>
    await store.database.sql(
      `SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM user_sessions) AS sessions,
              r.denied_id, r.partition, r.reason, l.user_id
       FROM revocations r, logs l WHERE l.event_type = 'USER_DELETED'`,
    )

  it('changes the password and logs in one commit, and ends and denies in the next one', async () => {
    const session = await aliceWithASession()

    const change = { account: session.account, passwordHash: 'new hash', keepSessionId: uuidv7() }
    await passwordChanged(store, change)

    const changed = await store.database.sql(
      `SELECT u.password_hash, u.unfinished_change, u.updated_at > u.created_at AS is_updated,
              s.end_reason, r.denied_id, r.partition, r.reason, s.xmin = r.xmin AS one_commit
       FROM users u, user_sessions s, revocations r, logs l WHERE l.event_type = 'PASSWORD_CHANGED'`,
    )
    expect(changed).to.deep.equal([
      {
        password_hash: 'new hash',
        unfinished_change: null,
        is_updated: true,
        end_reason: 'password_changed',
        denied_id: session.id,
        partition: session.id.slice(-2),
        reason: 'password_changed',
        one_commit: true,
      },
    ])
  })

  it('removes the rows of user and sessions, and keeps journal and log', async () => {
    const session = await aliceWithASession()

    await removed(store, session.account)

    expect(await rows()).to.deep.equal([
      {
        users: 0,
        sessions: 0,
        denied_id: session.id,
        partition: session.id.slice(-2),
        reason: 'user_deleted',
        user_id: session.account.id,
      },
    ])
  })

  it('keeps user and sessions, to be removed later, when the journal cannot be written', async () => {
    const session = await aliceWithASession()
    const { account } = session
    await store.database.sql('ALTER TABLE revocations RENAME TO revocations_away')

    const answer = await refusalOf(removed(store, account))
    await store.database.sql('ALTER TABLE revocations_away RENAME TO revocations')
    const closed = await store.users.findById(account.id)
    await removed(store, { ...account, isActive: false })

    expect(answer).to.equal('failed')
    expect(closed).to.deep.equal({ ...account, isActive: false, unfinishedChange: 'user_deleted' })
    // Asked twice, and told twice.
    expect(await rows()).to.have.length(2)
    expect(await store.users.findById(account.id)).to.equal(null)
  })

  it('removes nothing of an account that an operator has enabled meanwhile', async () => {
    const { account } = await aliceWithASession()
    await store.ownAccount.close(account, logEntry('USER_DELETED'))
    await store.userAdmin.enable('alice', logEntry('USER_ENABLED'))

    expect(await refusalOf(store.ownAccount.remove(account.id))).to.equal('unavailable')
    expect(await store.users.findById(account.id)).to.deep.equal(account)
  })

  it('reports the entry of a change that could not be written', async () => {
    const { account } = await aliceWithASession()
    await store.breakEntries()

    await passwordChanged(store, { account, passwordHash: 'new hash', keepSessionId: uuidv7() })
    await removed(store, { ...account, passwordHash: 'new hash' })

    expect(store.entryFailures()).to.equal(2)
    expect(store.log.lines.map(({ message }) => message)).to.include('a log entry could not be written')
  })

  it('reads a page of events from one index, in its order, however many there are', async () => {
    const userId = uuidv7()
    await store.database.sql(
      `INSERT INTO logs (id, event_type, user_id, ip_address)
       SELECT gen_random_uuid(), 'USER_LOGIN', CASE WHEN i % 2 = 0 THEN $1::uuid END, '::1'
       FROM generate_series(1, 20000) AS i`,
      [userId],
    )
    await store.database.sql('ANALYZE logs')

    const [row] = await store.database.sql<{ 'QUERY PLAN': unknown }>(
      `EXPLAIN (FORMAT JSON) SELECT id, event_type, message FROM logs
       WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT 20`,
      [userId, 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    )

    const plan = JSON.stringify(row?.['QUERY PLAN'])
    expect(plan).to.include('"Scan Direction":"Backward"')
    expect(plan).to.include('logs_user_id_id_index')
    expect(plan).not.to.include('"Sort"')
  })
})
