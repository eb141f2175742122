// What pruning removes and what it leaves, and that nobody who logs in or out waits for it.
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import type { Account } from '../../../../src/auth/ports/accounts.ts'
import { locks } from '../../../../src/store/postgres/locks.ts'
import { startPruning, type Pruning } from '../../../../src/store/postgres/prune.ts'
import { storedSession, storedUser, logOut, isDenied } from '../../../support/builders/stored-session.ts'
import { eventually } from '../../../support/service/environment.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'

const LOG_RETENTION_SECONDS = 3600
const DAY_SECONDS = 86_400
const NOW_AND_THEN = { intervalMs: 50, pauseMs: 1 }

describe('pruning', () => {
  let store: PostgresStoreSubject
  const running: Pruning[] = []

  beforeEach(async () => {
    store = await postgresStoreSubject()
  })
  afterEach(async () => {
    for (const pruning of running.splice(0)) await pruning.stop()
    await store.close()
  })

  function start(timing = NOW_AND_THEN): Pruning {
    const { postgres, log, leewaySeconds } = store
    const pruning = startPruning({
      postgres,
      locks: locks(postgres, uuidv4()),
      log,
      leewaySeconds,
      logRetentionSeconds: LOG_RETENTION_SECONDS,
      timing,
    })
    running.push(pruning)
    return pruning
  }

  const sql = async (text: string, values: unknown[] = []) => await store.database.sql(text, values)
  const count = async (table: string): Promise<number> => {
    const [row] = await store.database.sql<{ rows: number }>(`SELECT count(*)::int AS rows FROM ${table}`)
    return row?.rows ?? 0
  }
  const isGone = async (table: string) => {
    await eventually(async () => (await count(table)) === 0)
  }
  /** As many denials, which expired this many seconds ago. */
  const denials = async (rows: number, secondsAgo = 1) =>
    await sql(
      `INSERT INTO revocations (denied_id, partition, reason, expires_at)
       SELECT 'denied-' || n || random(), '00', 'logout', now() - $2::float8 * interval '1 second'
       FROM generate_series(1, $1) AS n`,
      [rows, secondsAgo],
    )
  const session = async (user: Account, expiredSecondsAgo: number): Promise<string> => {
    const { id } = await storedSession(store, user)
    await sql(
      `UPDATE user_sessions SET expires_at = now() - $2::float8 * interval '1 second' WHERE id = $1`,
      [id, expiredSecondsAgo],
    )
    return id
  }
  const logged = async (secondsAgo: number): Promise<string> => {
    const id = uuidv7()
    await sql(
      `INSERT INTO logs (id, event_type, ip_address, created_at)
       VALUES ($1, 'USER_LOGIN', 'x', now() - $2::float8 * interval '1 second')`,
      [id, secondsAgo],
    )
    return id
  }
  const seen = async (secondsAgo: number): Promise<string> => {
    const id = uuidv4()
    await sql(
      `INSERT INTO instances (id, name, seen_at) VALUES ($1, 'x', now() - $2::float8 * interval '1 second')`,
      [id, secondsAgo],
    )
    return id
  }
  const idsIn = async (table: string, id = 'id'): Promise<string[]> =>
    (await store.database.sql<{ id: string }>(`SELECT ${id} AS id FROM ${table}`)).map((row) => row.id)

  it('removes the denials that have expired, and keeps the others', async () => {
    await denials(1)
    const alive = uuidv7()
    await store.deny(alive, 60_000)

    start()

    await eventually(async () => (await count('revocations')) === 1)
    expect(await idsIn('revocations', 'denied_id')).to.deep.equal([alive])
  })

  it('removes a session once no clock can take one of its tokens for alive', async () => {
    const user = await storedUser(store)
    const safely = store.leewaySeconds + 60
    await session(user, safely + 1)
    const inLeeway = await session(user, store.leewaySeconds - 1)
    const inDoubt = await session(user, safely - 5)
    const alive = await storedSession(store, user)

    start()

    await eventually(async () => (await count('user_sessions')) === 3)
    expect(await idsIn('user_sessions')).to.have.members([inLeeway, inDoubt, alive.id])
  })

  it('removes log entries when their time is over, and instances not seen for a day', async () => {
    await Promise.all([logged(LOG_RETENTION_SECONDS + 1), seen(DAY_SECONDS + 1)])
    const [entry, instance] = await Promise.all([logged(LOG_RETENTION_SECONDS - 10), seen(DAY_SECONDS - 10)])

    start()

    await eventually(async () => (await count('logs')) + (await count('instances')) === 2)
    expect(await idsIn('logs')).to.deep.equal([entry])
    expect(await idsIn('instances')).to.deep.equal([instance])
  })

  it('works off more than a batch in one round', async () => {
    await denials(3500)
    const startMs = performance.now()

    start({ intervalMs: 3000, pauseMs: 1 })

    await isGone('revocations')
    // A batch a round would take four rounds.
    expect(performance.now() - startMs).to.be.below(11_000)
  })

  it('passes over a row that somebody has locked, and comes back for it', async () => {
    await denials(3)
    const locked = sql(
      `DO $$ BEGIN
         PERFORM 1 FROM revocations WHERE seq = (SELECT min(seq) FROM revocations) FOR UPDATE;
         PERFORM pg_sleep(1);
       END $$`,
    )
    await new Promise((resolve) => setTimeout(resolve, 100))

    start()
    await eventually(async () => (await count('revocations')) === 1)
    await locked

    await isGone('revocations')
  })

  for (const table of ['revocations', 'user_sessions', 'logs']) {
    it(`keeps nobody waiting who logs in or out, while a batch of ${table} is under way`, async () => {
      const user = await storedUser(store)
      await Promise.all([session(user, 3600), denials(1), logged(LOG_RETENTION_SECONDS + 1)])
      const leaving = await storedSession(store, user)
      await slowDown(table)

      start()
      await eventually(isDawdling)
      const denial = await logOut(store, leaving)
      await storedSession(store, user)

      expect(denial?.id).to.equal(leaving.id)
      expect(await isDawdling()).to.equal(true)
    })
  }

  it('leaves it to one of several instances, and to another one after that', async () => {
    await denials(1)
    for (let instances = 0; instances < 3; instances++) start()
    await isGone('revocations')

    const holders = new Set<string>()
    for (let looks = 0; looks < 10; looks++) {
      for (const holder of await idsIn('locks', 'holder')) holders.add(holder)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await Promise.all(
      running.splice(0).map(async (pruning) => {
        await pruning.stop()
      }),
    )
    await sql('UPDATE locks SET expires_at = now()')
    await denials(1)
    start()

    await isGone('revocations')
    expect(holders.size).to.equal(1)
  })

  it('prunes the other tables when one of them is broken, says so once, and goes on when it is mended', async () => {
    await sql('ALTER TABLE revocations RENAME TO away')
    await logged(LOG_RETENTION_SECONDS + 1)

    start()
    await isGone('logs')
    await new Promise((resolve) => setTimeout(resolve, 300))
    await sql('ALTER TABLE away RENAME TO revocations')
    await denials(1)

    await isGone('revocations')
    const told = store.log.lines.filter(({ message }) => message.includes('cannot be removed'))
    expect(told.map(({ fields }) => fields['table'])).to.deep.equal(['revocations'])
  })

  it('stops between two batches, however much is left', async () => {
    await denials(20_000)
    const pruning = start({ intervalMs: 1, pauseMs: 200 })
    await eventually(async () => (await count('revocations')) < 20_000)

    await pruning.stop()
    const left = await count('revocations')
    await new Promise((resolve) => setTimeout(resolve, 300))

    expect(left).to.be.above(10_000)
    expect(await count('revocations')).to.equal(left)
  })

  it('stops after the batch under way, whatever other tables hold', async () => {
    await session(await storedUser(store), 3600)
    await denials(1)
    await slowDown('revocations')
    const pruning = start()
    await eventually(isDawdling)

    await pruning.stop()

    expect([await count('revocations'), await count('user_sessions')]).to.deep.equal([0, 1])
  })

  it('does not bring back what was logged out: a session that is gone from the table is still refused', async () => {
    const user = await storedUser(store)
    const leaving = await storedSession(store, user)
    await logOut(store, leaving)
    await sql(`UPDATE user_sessions SET expires_at = now() - interval '1 hour' WHERE id = $1`, [leaving.id])

    start()

    await isGone('user_sessions')
    expect(await isDenied(store, leaving.id)).to.equal(true)
  })

  /** Each statement that deletes from the table holds its locks for a second before it commits. */
  async function slowDown(table: string): Promise<void> {
    await sql(`CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$`)
    await sql(`CREATE TRIGGER dawdle AFTER DELETE ON ${table} EXECUTE FUNCTION dawdle()`)
  }

  async function isDawdling(): Promise<boolean> {
    const rows = await sql(
      `SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event = 'PgSleep' AND query LIKE '%DELETE%'`,
    )
    return rows.length > 0
  }
})
