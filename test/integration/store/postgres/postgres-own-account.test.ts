// What users' changes to their own accounts leave behind in Postgres.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import type { NewSession } from '../../../../src/auth/ports/sessions.ts'
import { logEntry } from '../../../support/builders/account.ts'
import { storedSession, storedUser } from '../../../support/builders/stored-session.ts'
import { postgresStoreSubject, type PostgresStoreSubject } from '../../../support/postgres-store-subject.ts'
import { refusalOf } from '../../../support/refusal-of.ts'

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

  const changePassword = async ({ account }: NewSession) =>
    await store.ownAccount.changePassword(
      { account, passwordHash: 'new hash', keepSessionId: uuidv7() },
      logEntry('PASSWORD_CHANGED'),
    )
  const remove = async ({ account }: NewSession) =>
    await store.ownAccount.remove(account, logEntry('USER_DELETED'))

  it('changes the password, ends, denies and logs in one commit', async () => {
    const session = await aliceWithASession()

    await changePassword(session)

    const rows = await store.database.sql(
      `SELECT u.password_hash, u.updated_at > u.created_at AS is_updated,
              s.end_reason, r.denied_id, r.partition, r.reason,
              u.xmin = s.xmin AND s.xmin = r.xmin AND r.xmin = l.xmin AS one_commit
       FROM users u, user_sessions s, revocations r, logs l WHERE l.event_type = 'PASSWORD_CHANGED'`,
    )
    expect(rows).to.deep.equal([
      {
        password_hash: 'new hash',
        is_updated: true,
        end_reason: 'password_changed',
        denied_id: session.id,
        partition: session.id.slice(-2),
        reason: 'password_changed',
        one_commit: true,
      },
    ])
  })

  it('removes the rows of user and sessions, and keeps journal and log, in one commit', async () => {
    const session = await aliceWithASession()

    await remove(session)

    const rows = await store.database.sql(
      `SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM user_sessions) AS sessions,
              r.denied_id, r.reason, l.user_id, r.xmin = l.xmin AS one_commit
       FROM revocations r, logs l WHERE l.event_type = 'USER_DELETED'`,
    )
    expect(rows).to.deep.equal([
      {
        users: 0,
        sessions: 0,
        denied_id: session.id,
        reason: 'user_deleted',
        user_id: session.account.id,
        one_commit: true,
      },
    ])
  })

  for (const { what, change } of [
    { what: 'a change of password', change: changePassword },
    { what: 'a removal', change: remove },
  ]) {
    it(`changes nothing when one part of ${what} fails`, async () => {
      const session = await aliceWithASession()
      const before = await store.entries()
      await store.database.sql('ALTER TABLE revocations RENAME TO revocations_away')

      const answer = await refusalOf(change(session))
      await store.database.sql('ALTER TABLE revocations_away RENAME TO revocations')

      expect(answer).to.equal('failed')
      expect(await store.users.findById(session.account.id)).to.deep.equal(session.account)
      expect(await store.sessions.find(session.id)).not.to.equal(null)
      expect(await store.entries()).to.deep.equal(before)
    })

    it(`reports the entry of ${what} that could not be written`, async () => {
      const session = await aliceWithASession()
      await store.breakEntries()

      await change(session)

      expect(store.entryFailures()).to.equal(1)
      expect(store.log.lines.map(({ message }) => message)).to.include('a log entry could not be written')
    })
  }

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
