// signoff start: provides what the environment does not name, serves, and takes all of it down again.
import { join, resolve } from 'node:path'
import { startService, type ServiceOptions } from '../app.ts'
import { misspelled, type Config } from '../config.ts'
import { developmentCertificate } from '../embedded/certificate.ts'
import { holdDataDir, type RunningInfo } from '../embedded/data-dir/hold-data-dir.ts'
import { embeddedPostgres } from '../embedded/postgres/embedded-postgres.ts'
import { embeddedRedis } from '../embedded/redis/embedded-redis.ts'
import type { EmbeddedServer } from '../embedded/server.ts'
import { environment, settingsEnvironment } from '../settings/settings-environment.ts'
import { systemLog } from '../ops/log.ts'
import { stopSignal } from '../ops/shutdown.ts'
import { migrateUp } from '../store/postgres/migrate.ts'
import { loadKeys } from '../tokens/load-keys.ts'
import { demoUser } from './demo-user.ts'
import { generateKeys, keyFilesIn } from './keys.ts'
import { SHUTDOWN_DEADLINE_MS, tlsFiles } from './serve.ts'
import { walkthrough } from './walkthrough.ts'

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** Runs until it is told to stop. Rejects when another `start` holds the same DATA_DIR. */
export async function start(config: Config): Promise<void> {
  misspelled(settingsEnvironment()).forEach(say)
  const dataDir = resolve(config.DATA_DIR)
  const lock = await holdDataDir(dataDir)
  if (!lock.ok) {
    const { pid, url } = lock.running ?? {}
    const where = url ? ` at ${url}` : ''
    throw new Error(
      `Signoff is running already${where} (process ${pid ?? 'unknown'}), from ${dataDir}.\n` +
        'Use that one, or stop it with Ctrl-C. For a second one set DATA_DIR, PORT and ADMIN_PORT.',
    )
  }

  // From here on, so that Ctrl-C in the middle of starting leaves nothing behind.
  const stopping = new AbortController()
  const stopped = stopSignal().then(() => {
    stopping.abort()
    say('Stopping…')
  })
  const servers: EmbeddedServer[] = []
  try {
    const options = await provide(config, { dataDir, servers, signal: stopping.signal })
    if (options && !stopping.signal.aborted) await run(options, { dataDir, publish: lock.publish, stopped })
  } finally {
    await Promise.all(
      servers.map(async (server) => {
        await server.stop()
      }),
    )
    await lock.release()
  }
  say('Stopped. The data is kept; the next start finds it.')
}

interface Surroundings {
  dataDir: string
  /** Tells other processes on this DATA_DIR what runs here. */
  publish: (info: RunningInfo) => Promise<void>
  /** Resolves when it is time to stop. */
  stopped: Promise<void>
}

async function run(options: ServiceOptions, { dataDir, publish, stopped }: Surroundings): Promise<void> {
  const { config, databaseUrl, redisUrl, tls } = options
  const applied = await migrateUp(databaseUrl)
  if (applied.length > 0) say('Brought the database schema up to date')
  const demo = await demoUser(config, { dataDir, databaseUrl })

  const service = await startService(options)
  const url = `${tls ? 'https' : 'http'}://localhost:${service.port}`
  await publish({ pid: process.pid, url, databaseUrl, ...(redisUrl !== null && { redisUrl }) })
  say(walkthrough({ url, certFile: tls?.certFile ?? null, demo }))

  await stopped
  await service.stop(SHUTDOWN_DEADLINE_MS)
}

interface Provision {
  dataDir: string
  /** Takes each server as soon as it runs, so that whatever happens later stops it too. */
  servers: EmbeddedServer[]
  signal: AbortSignal
}

/** `null` when told to stop meanwhile. */
async function provide(config: Config, provision: Provision): Promise<ServiceOptions | null> {
  const { dataDir, signal } = provision
  const [postgres, redis] = await Promise.allSettled(provideServers(config, provision))
  if (signal.aborted) return null
  if (postgres.status === 'rejected') throw postgres.reason
  if (redis.status === 'rejected') throw redis.reason
  if (postgres.value === null) throw new Error('no Postgres: set DATABASE_URL')
  for (const server of provision.servers) server.onExit(sayEnded)
  if (redis.value === null) {
    say('Going on without Redis: this is one process that asks Postgres about every token.')
  }

  return {
    config,
    databaseUrl: postgres.value,
    redisUrl: redis.value,
    tls:
      config.TLS === 'off'
        ? null
        : (tlsFiles(config) ?? (await developmentCertificate(join(dataDir, 'tls')))),
    keys: await provideKeys(config, dataDir),
    sendsHsts: !isLocalhost(config.ISSUER),
    log: systemLog(config.LOG_LEVEL ?? 'warn'),
  }
}

/** Other projects on this machine speak plain HTTP under that name, which a browser would refuse them for a year. */
function isLocalhost(issuer: string): boolean {
  return new URL(issuer).hostname === 'localhost'
}

/** The URLs of Postgres and Redis, `null` for what cannot be had. */
function provideServers(config: Config, { dataDir, servers, signal }: Provision): [Provided, Provided] {
  const sayUnlessStopping = (line: string): void => {
    if (!signal.aborted) say(line)
  }
  const embedded = { dataDir, env: environment, signal, say: sayUnlessStopping }
  const take = (server: EmbeddedServer | null): string | null => {
    if (server) servers.push(server)
    return server?.url ?? null
  }
  return [
    config.DATABASE_URL ? Promise.resolve(config.DATABASE_URL) : embeddedPostgres(embedded).then(take),
    config.REDIS_URL ? Promise.resolve(config.REDIS_URL) : embeddedRedis(embedded).then(take),
  ]
}

type Provided = Promise<string | null>

function sayEnded(reason: string): void {
  say(
    `A server ended (${reason}). Without Redis it goes on, asking Postgres; else press Ctrl-C and start again.`,
  )
}

async function provideKeys(config: Config, dataDir: string): Promise<ServiceOptions['keys']> {
  const own = keyFilesIn(dataDir)
  const files = {
    signingKeysFile: config.SIGNING_KEYS_FILE ?? own.signingKeysFile,
    refreshKeyFile: config.REFRESH_KEY_FILE ?? own.refreshKeyFile,
  }
  for (const path of await generateKeys(files)) say(`Made ${path}`)
  const loaded = await loadKeys({
    ...files,
    trustedIssuersFile: config.TRUSTED_ISSUERS,
    issuer: config.ISSUER,
    sharedSecret: config.SECRET_KEY,
    warn: say,
  })
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'))
  return loaded.keys
}
