// What an operator's change leaves behind in Postgres, also when it takes too long.
import { expect } from 'chai'
import { Client } from 'pg'
import { logEntries } from '../../../../src/store/postgres/log-entries.ts'
import { postgresUserAdmin } from '../../../../src/store/postgres/postgres-user-admin.ts'
import { postgres } from '../../../../src/store/postgres/postgres.ts'
import { account, logEntry } from '../../../support/builders/account.ts'
import { disabled } from '../../../support/builders/ended-sessions.ts'
import { newSession } from '../../../support/builders/new-session.ts'
import { recordingLog } from '../../../support/fakes/recording-log.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'

const after = async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

describe('postgresUserAdmin', () => {
  let store: PostgresStoreSubject

  beforeEach(async () => {
    store = await postgresStoreSubject()
  })
  afterEach(async () => {
    await store.close()
  })

  async function aliceWithASession(): Promise<string> {
    const alice = account({ username: 'alice' })
    await store.userAdmin.add(alice, logEntry('USER_ADDED'))
    const session = newSession(alice, Math.floor(Date.now() / 1000) + 3600)
    await store.sessions.begin(session, logEntry('USER_LOGIN'))
    return session.id
  }

  const state = async () => {
    const [row] = await store.database.sql(
      `SELECT (SELECT is_active FROM users) AS is_active, (SELECT end_reason FROM user_sessions) AS end_reason,
              (SELECT count(*)::int FROM revocations) AS denials,
              (SELECT count(*)::int FROM logs WHERE event_type = 'USER_DISABLED') AS entries`,
    )
    return row
  }

  /** Holds what `sql` locks until it is let go. */
  async function lock(sql: string): Promise<() => Promise<void>> {
    const client = new Client({ connectionString: store.database.url })
    await client.connect()
    await client.query('BEGIN')
    await client.query(sql)
    return async () => {
      await client.end()
    }
  }

  it('disables and logs in one commit, and ends and denies in the next one', async () => {
    const sid = await aliceWithASession()

    await disabled(store, 'alice')

    const rows = await store.database.sql(
      `SELECT u.is_active, s.end_reason, r.denied_id, r.partition, r.reason,
              u.xmin = l.xmin AS one_commit, s.xmin = r.xmin AS another_one
       FROM users u, user_sessions s, revocations r, logs l WHERE l.event_type = 'USER_DISABLED'`,
    )
    expect(rows).to.deep.equal([
      {
        is_active: false,
        end_reason: 'user_disabled',
        denied_id: sid,
        partition: sid.slice(-2),
        reason: 'user_disabled',
        one_commit: true,
        another_one: true,
      },
    ])
  })

  it('stays disabled, and ends the sessions when asked again, where their end has failed', async () => {
    await aliceWithASession()
    await store.database.sql('ALTER TABLE revocations RENAME TO revocations_away')

    const answer = await refusalOf(disabled(store, 'alice'))
    await store.database.sql('ALTER TABLE revocations_away RENAME TO revocations')
    const between = await state()
    await disabled(store, 'alice')

    expect(answer).to.equal('failed')
    expect(between).to.deep.equal({ is_active: false, end_reason: null, denials: 0, entries: 1 })
    expect(await state()).to.deep.equal({
      is_active: false,
      end_reason: 'user_disabled',
      denials: 1,
      entries: 2,
    })
  })

  it('survives the loss of its connection between two statements', async () => {
    const failure = refusalOf(
      store.postgres.transaction(async (query) => {
        const [own] = await query<{ pid: number }>({ name: 'pid', text: 'SELECT pg_backend_pid() AS pid' })
        await store.database.sql('SELECT pg_terminate_backend($1)', [own?.pid])
        await after(200)
        return await query({ name: 'one', text: 'SELECT 1' })
      }),
    )

    expect(await failure).to.equal('unavailable')
    expect(await store.userAdmin.list()).to.deep.equal([])
  })

  it('changes nothing any more once it was said to be unavailable', async () => {
    await aliceWithASession()
    const hurried = postgres({ url: store.database.url, log: recordingLog(), timeoutMs: 800 })
    const entries = logEntries({
      postgres: hurried,
      log: recordingLog(),
      onFailure: () => undefined,
      onEvent: () => undefined,
    })
    const userAdmin = postgresUserAdmin({ postgres: hurried, logEntries: entries, leewaySeconds: 5 })
    const letUserGo = await lock('SELECT 1 FROM users FOR UPDATE')

    const answer = await refusalOf(userAdmin.disable('alice', logEntry('USER_DISABLED')))
    await letUserGo()
    await hurried.close()
    const left = await state()

    expect(answer).to.equal('unavailable')
    expect(left).to.deep.equal({ is_active: true, end_reason: null, denials: 0, entries: 0 })
  })
})
