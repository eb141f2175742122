// The connection to Postgres: bounded in size, queue and time; its failures are `unavailable`, its refusals `failed`.
import { DatabaseError, Pool, type PoolClient, type QueryResultRow } from 'pg'
import { AuthError } from '../../auth/errors.ts'
import type { SystemLog } from '../../ops/log.ts'
import { outageLog } from './outage-log.ts'
import { assertPrimary, CHECK_CONNECTION, type ServerRole } from './postgres-health.ts'

/** Prepared once per connection under its name. */
export interface Statement {
  name: string
  text: string
  /**
   * For what a standby would answer, and with what was true a while ago: the first row, which there always is,
   * has the columns of `ROLE`. An answer of another server than the primary is `unavailable`, and ends the
   * connection that it came by; a new one is checked in any case, but a pooler may have moved us since.
   */
  isOfPrimary?: boolean
}

export interface Postgres {
  /** Rejects with `unavailable`, or with `failed` where Postgres refuses; the driver's error is the cause. */
  query<Row extends QueryResultRow>(statement: Statement, values?: unknown[]): Promise<Row[]>
  /** Commits when `work` resolves, rolls back when it rejects; the same deadline holds for all of it. */
  transaction<T>(work: (query: Postgres['query']) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface PostgresOptions {
  url: string
  log: SystemLog
  /** From asking for a connection to the answer, waiting included. */
  timeoutMs?: number
  /** How long a connection is waited for, which is part of that. */
  connectTimeoutMs?: number
  /** Connections at once; the next caller waits for one. */
  poolSize?: number
}

const POOL_SIZE = 20
/** A new connection, with its statements to prepare, costs more than many requests: one lasts through a lull. */
const KEPT_IDLE_MS = 600_000
/** More than this wait for a connection: the next one is told at once. */
const MAX_WAITING = 1000

export function postgres(options: PostgresOptions): Postgres {
  const { url, log, timeoutMs = 2000, connectTimeoutMs = timeoutMs, poolSize = POOL_SIZE } = options
  const pool = new Pool({
    connectionString: url,
    max: poolSize,
    idleTimeoutMillis: KEPT_IDLE_MS,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: timeoutMs,
    statement_timeout: timeoutMs,
    // A locked table (somebody alters `logs`, say) is heard of while there is time to do without it.
    lock_timeout: timeoutMs / 16,
    idle_in_transaction_session_timeout: timeoutMs * 2,
    keepAlive: true,
    application_name: 'signoff',
    // Before it is handed out, and once: the commits that a session makes are as durable as it was told to make them.
    verify: (client, done) => {
      checkConnection(client).then(() => {
        done()
      }, done)
    },
  })
  const outage = outageLog(log)
  // The pool hears only those it holds; unheard, a connection that is lost while it is used ends the process.
  pool.on('connect', (client) => client.on('error', noteEnded))
  pool.on('error', () => undefined)

  return {
    query: async <Row extends QueryResultRow>(statement: Statement, values: unknown[] = []) =>
      await bounded(
        async () => await withConnection(async (client) => await ask<Row>(client, statement, values)),
      ),

    transaction: async (work) =>
      await bounded(
        async (isOver) => await withConnection(async (client) => await runTransaction(client, work, isOver)),
      ),

    close: async () => {
      await pool.end()
    },
  }

  /** One on which something has failed is thrown away: it may lead to a server that is no longer the primary. */
  async function withConnection<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    let hasFailed = true
    try {
      const result = await work(client)
      hasFailed = false
      return result
    } finally {
      client.release(hasFailed)
    }
  }

  async function bounded<T>(work: (isOver: () => boolean) => Promise<T>): Promise<T> {
    if (pool.waitingCount >= MAX_WAITING) throw new AuthError('unavailable')
    const deadline = performance.now() + timeoutMs
    try {
      const result = await withDeadline(
        work(() => performance.now() >= deadline),
        timeoutMs,
      )
      outage.answered()
      return result
    } catch (error) {
      if (error instanceof AuthError) throw error
      noteFailure(error)
      throw new AuthError(willPass(error) || !isRefusal(error) ? 'unavailable' : 'failed', { cause: error })
    }
  }

  /** The connection is replaced when one is next needed; what was under way on it is told by its own failure. */
  function noteEnded(error: Error): void {
    log.debug({ err: error }, 'a connection to Postgres ended')
  }

  function noteFailure(error: unknown): void {
    // A statement that Postgres refused is an answer; each one is a defect worth a line of its own.
    if (isRefusal(error)) log.error({ err: error }, 'Postgres refused a statement')
    else outage.failed(error)
  }
}

/**
 * Whether Postgres was well and said no to this statement (which it then undid as a whole),
 * as opposed to being cut off (also for having waited too long within a transaction), shutting down, out of
 * connections or read-only after a failover.
 * A full disk (53100) counts as a no: it may be that of one table.
 */
export function isRefusal(error: unknown): error is DatabaseError {
  const cause = error instanceof AuthError ? error.cause : error
  return (
    cause instanceof DatabaseError &&
    !/^(08|28|3D|40|53(?!100)|57|58|25006|25P03|25P04)/.test(cause.code ?? '08')
  )
}

/** Whether something else was locked for longer than this statement waits. */
export function isLockTimeout(error: unknown): boolean {
  const cause = error instanceof AuthError ? error.cause : error
  return cause instanceof DatabaseError && cause.code === '55P03'
}

/** No room, or no lock in time: that passes. */
function willPass(error: unknown): boolean {
  return error instanceof DatabaseError && /^(53|55P03)/.test(error.code ?? '')
}

/** Rejects where no connection may be kept to that server. */
async function checkConnection(client: PoolClient): Promise<void> {
  const { rows } = await client.query<ServerRole>(CHECK_CONNECTION)
  assertPrimary(rows[0])
}

async function ask<Row extends QueryResultRow>(
  client: PoolClient,
  { name, text, isOfPrimary = false }: Statement,
  values: unknown[],
): Promise<Row[]> {
  const { rows } = await client.query<Row>({ name, text, values })
  if (isOfPrimary) assertPrimary(rows[0] as ServerRole | undefined)
  return rows
}

async function runTransaction<T>(
  client: PoolClient,
  work: (query: Postgres['query']) => Promise<T>,
  isOver: () => boolean,
): Promise<T> {
  await client.query('BEGIN')
  try {
    const result = await work(
      async <Row extends QueryResultRow>(statement: Statement, values: unknown[] = []) =>
        await ask<Row>(client, statement, values),
    )
    // The caller has been told that it did not happen.
    if (isOver()) throw new Error('too late to commit')
    await client.query('COMMIT')
    return result
  } catch (error) {
    if (error instanceof DatabaseError) await client.query('ROLLBACK')
    throw error
  }
}

async function withDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${timeoutMs} ms`))
    }, timeoutMs)
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    clearTimeout(timer)
  }
}
