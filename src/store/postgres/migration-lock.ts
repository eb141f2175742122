// Lets one process at a time migrate; who dies in the middle of it blocks nobody for long.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, DatabaseError } from 'pg'
import { holdIn, releaseIn } from './locks.ts'

/** Any number that nobody else uses on this database. */
const ADVISORY_LOCK = 7_133_701_809
const IS_MISSING = ['42883', '0A000']

/** Beside the tables of the schema, which is what is about to be made. */
const TABLE = 'signoff_migrations_holder'
const EXPIRY_SECONDS = 15
const RENEWAL_MS = 5000
const POLL_MS = 500
/** Another process made the table, or wrote the row, at the same moment. */
const IS_RACE = ['23505', '42P07', '42710', '40001']

/** Waits until nobody else migrates this database, then does the work. */
export async function withMigrationLock<T>(databaseUrl: string, work: () => Promise<T>): Promise<T> {
  const guard = await connect(databaseUrl)
  try {
    if (await takeAdvisoryLock(guard, databaseUrl)) return await work()
    return await withLockRow(guard, work)
  } finally {
    await guard.end()
  }
}

/**
 * Until the guard's connection ends. `false` where the engine has no such locks, or has them in name only:
 * then a second connection gets what the first one holds.
 */
async function takeAdvisoryLock(guard: Client, databaseUrl: string): Promise<boolean> {
  // Of a transaction: a pooler may give the next statement outside of one to another connection.
  await guard.query('BEGIN')
  try {
    await guard.query('SET LOCAL idle_in_transaction_session_timeout = 0')
    await guard.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK])
    if (!(await isFree(databaseUrl))) return true
  } catch (error) {
    if (!hasCode(error, IS_MISSING)) throw error
  }
  await guard.query('ROLLBACK')
  return false
}

async function isFree(databaseUrl: string): Promise<boolean> {
  const other = await connect(databaseUrl)
  try {
    const { rows } = await other.query<{ taken: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS taken', [
      ADVISORY_LOCK,
    ])
    return rows[0]?.taken === true
  } finally {
    await other.end()
  }
}

async function withLockRow<T>(guard: Client, work: () => Promise<T>): Promise<T> {
  const holder = randomUUID()
  const hold = async () => await guard.query(holdIn(TABLE), ['migrate', holder, EXPIRY_SECONDS])
  await untilDone(async () => {
    await guard.query(
      `CREATE TABLE IF NOT EXISTS ${TABLE} (name text PRIMARY KEY, holder uuid, expires_at timestamptz NOT NULL)`,
    )
    return (await hold()).rows.length > 0
  })
  const renewal = setInterval(() => void hold().catch(() => undefined), RENEWAL_MS)
  try {
    return await work()
  } finally {
    clearInterval(renewal)
    // Otherwise it expires.
    await guard.query(releaseIn(TABLE), ['migrate', holder]).catch(() => undefined)
  }
}

async function untilDone(attempt: () => Promise<boolean>): Promise<void> {
  for (;;) {
    const isDone = await attempt().catch((error: unknown) => {
      if (hasCode(error, IS_RACE)) return false
      throw error
    })
    if (isDone) return
    await sleep(POLL_MS)
  }
}

async function connect(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5000 })
  // Lost, it takes the lock with it; the migration itself then tells what happened.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof DatabaseError && codes.includes(error.code ?? '')
}
