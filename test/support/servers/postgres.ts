// A database of its own for each suite, in the one Postgres of its process; and a whole Postgres for who breaks it.
import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Pool } from 'pg'
import { postgresPlaces } from '../../../src/embedded/postgres/cluster.ts'
import { embeddedPostgres } from '../../../src/embedded/postgres/embedded-postgres.ts'
import type { EmbeddedServer } from '../../../src/embedded/server.ts'
import { migrateUp } from '../../../src/store/postgres/migrate.ts'
import { offeredData, offeredPostgres } from './offered-postgres.ts'

export interface TestDatabase {
  url: string
  /** Runs SQL from outside the service. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
  drop: () => Promise<void>
}

const TEMPLATE = 'signoff'

/** Started when first asked for. */
let shared: Promise<string> | undefined

/** A migrated, empty database. */
export async function testDatabase(): Promise<TestDatabase> {
  return await emptyDatabase(TEMPLATE)
}

/** A database without a schema, or with that of `template`. */
export async function emptyDatabase(template = 'template0'): Promise<TestDatabase> {
  shared ??= offeredPostgres()
  // Another try for the next one, where it did not start in time.
  shared.catch(() => (shared = undefined))
  const server = await shared
  const name = `test_${randomBytes(8).toString('hex')}`
  // The maintenance database, since nobody may be connected to the template.
  const maintenance = urlOf(server, 'postgres')
  await runSql(maintenance, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = urlOf(server, name)
  const pool = questionsTo(url)
  return {
    url,
    sql: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await pool.query<Row>(text, values)).rows,
    drop: async () => {
      await pool.end()
      await runSql(maintenance, `DROP DATABASE ${name} WITH (FORCE)`)
    },
  }
}

/** Many tests ask again and again: each time anew, to connect would cost more than the question. */
function questionsTo(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 4, idleTimeoutMillis: 2000, allowExitOnIdle: true })
  // A test may end connections.
  pool.on('error', () => undefined)
  return pool
}

/** A Postgres of the caller's own, with the schema in it, to be stopped and cut off at will. */
export async function ownPostgres(): Promise<EmbeddedServer & { remove(): Promise<void> }> {
  const { server, dataDir } = await startPostgres()
  return {
    ...server,
    remove: async () => {
      await server.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export interface RestartablePostgres {
  url: () => string
  /** Runs SQL from outside the service. */
  sql: TestDatabase['sql']
  restart: () => Promise<void>
  /** The same as a standby, which answers and takes no writes; until `SELECT pg_promote()`, and a restart leaves it one. */
  restartAsStandby: () => Promise<void>
  remove: () => Promise<void>
}

/** A Postgres of the caller's own that can be stopped and started again on what it holds, on another port. */
export async function restartablePostgres(): Promise<RestartablePostgres> {
  const { server, dataDir } = await startPostgres()
  let current = server
  const restart = async () => {
    await current.stop()
    current = await launchPostgres(dataDir)
  }
  return {
    url: () => current.url,
    sql: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await runSql(current.url, text, values)) as Row[],
    restart,
    restartAsStandby: async () => {
      await writeFile(join(postgresPlaces(dataDir).data, 'standby.signal'), '')
      await restart()
    },
    remove: async () => {
      await current.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** A data directory with the schema in it, of a Postgres that was stopped: to copy one is sooner done than to make one. */
export async function preparedData(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'signoff-test-'))
  const server = await launchPostgres(dataDir)
  await migrateUp(server.url)
  await server.stop()
  return dataDir
}

async function startPostgres(): Promise<{ server: EmbeddedServer; dataDir: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'signoff-test-'))
  const prepared = await offeredData()
  if (prepared !== null) await cp(prepared, dataDir, { recursive: true })
  const server = await launchPostgres(dataDir)
  if (prepared === null) await migrateUp(server.url)
  return { server, dataDir }
}

async function launchPostgres(dataDir: string): Promise<EmbeddedServer> {
  return await embeddedPostgres({ dataDir, env: process.env, say: () => undefined })
}

function urlOf(server: string, database: string): string {
  const url = new URL(server)
  url.pathname = `/${database}`
  return url.href
}

/** Over a connection of its own. */
export async function runSql(url: string, text: string, values: unknown[] = []): Promise<object[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<object>(text, values)).rows
  } finally {
    await client.end()
  }
}
