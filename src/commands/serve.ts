// signoff serve: production. Provides nothing; refuses to start with a list of all that is wrong with its files.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSecureContext } from 'node:tls'
import { startService, type ServiceOptions } from '../app.ts'
import { AuthError } from '../auth/errors.ts'
import { misspelled, type Config, type ServeConfig } from '../config.ts'
import { ConfigError } from '../settings/config-error.ts'
import { readTrustedFile } from '../file-trust.ts'
import { settingsEnvironment } from '../settings/settings-environment.ts'
import { systemLog, type SystemLog } from '../ops/log.ts'
import { stopSignal } from '../ops/shutdown.ts'
import { postgresUnfitness } from '../store/postgres/postgres-unfitness.ts'
import { schemaStatus, sentenceOfNewer } from '../store/postgres/schema-status.ts'
import { redisFailure, redisFailureDetail } from '../store/redis/redis-failure.ts'
import { redisUnfitness } from '../store/redis/redis-watch.ts'
import { loadKeys } from '../tokens/load-keys.ts'

/** How long requests in flight may take to finish once the service is told to stop. */
export const SHUTDOWN_DEADLINE_MS = 10_000

/** Runs until it is told to stop. Rejects with `ConfigError`, or with what kept it from listening. */
export async function serve(config: ServeConfig): Promise<void> {
  const stopped = stopSignal()
  const log = systemLog(config.LOG_LEVEL ?? 'info')
  for (const problem of misspelled(settingsEnvironment())) log.warn(problem)
  const options = await serviceOptions(config, log)
  await checkSchema(options.databaseUrl, log)
  const isProduction = config.NODE_ENV === 'production'
  await checkPostgres(options.databaseUrl, { isProduction, log })
  if (isProduction) await checkRedis(config.REDIS_URL, log)

  const service = await startService(options)
  log.info({ port: service.port, adminPort: service.adminPort, issuer: config.ISSUER }, 'serving')

  const signal = await stopped
  if (config.SHUTDOWN_DELAY > 0) {
    log.info(
      { signal, seconds: config.SHUTDOWN_DELAY },
      'stopping: not ready any more, serving for SHUTDOWN_DELAY',
    )
    service.retire()
    await sleep(config.SHUTDOWN_DELAY * 1000)
  }
  log.info({ signal }, 'stopping: finishing what is in flight')
  await service.stop(SHUTDOWN_DEADLINE_MS)
  log.info('stopped')
}

async function serviceOptions(config: ServeConfig, log: SystemLog): Promise<ServiceOptions> {
  const { DATABASE_URL, REDIS_URL, SIGNING_KEYS_FILE, REFRESH_KEY_FILE } = config
  const tls = tlsFiles(config)
  const warn = (line: string): void => {
    log.warn(line)
  }
  const loaded = await loadKeys({
    signingKeysFile: SIGNING_KEYS_FILE,
    refreshKeyFile: REFRESH_KEY_FILE,
    trustedIssuersFile: config.TRUSTED_ISSUERS,
    issuer: config.ISSUER,
    sharedSecret: config.SECRET_KEY,
    warn,
  })
  const problems = tls ? tlsProblems(tls, warn) : []
  if ('problems' in loaded) throw new ConfigError([...problems, ...loaded.problems])
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    config,
    databaseUrl: DATABASE_URL,
    redisUrl: REDIS_URL,
    tls,
    keys: loaded.keys,
    sendsHsts: true,
    log,
  }
}

/** The files that the settings name; `null` when TLS is off, or they name none. */
export function tlsFiles({ TLS, TLS_CERT_FILE, TLS_KEY_FILE }: Config): ServiceOptions['tls'] {
  return TLS === 'on' && TLS_CERT_FILE && TLS_KEY_FILE
    ? { certFile: TLS_CERT_FILE, keyFile: TLS_KEY_FILE }
    : null
}

function tlsProblems(
  { certFile, keyFile }: { certFile: string; keyFile: string },
  warn: (line: string) => void,
): string[] {
  try {
    createSecureContext({ cert: readFileSync(certFile), key: readTrustedFile(keyFile, warn) })
    return []
  } catch (error) {
    return [`TLS_CERT_FILE and TLS_KEY_FILE: ${(error as Error).message}`]
  }
}

/** A schema that is behind is a mistake of deployment; a database that is away for a moment is not. */
async function checkSchema(databaseUrl: string, log: SystemLog): Promise<void> {
  const status = await schemaStatus(databaseUrl).catch((error: unknown) => {
    if (error instanceof AuthError && error.code === 'failed') {
      const { message } = error.cause as Error
      throw new ConfigError([
        `DATABASE_URL: the schema of the database cannot be looked at, since Postgres says: ${message}`,
      ])
    }
    log.warn({ err: error }, 'Postgres does not answer yet: serving without having seen its schema')
    return null
  })
  if (status && status.pending.length > 0) {
    throw new ConfigError([`the database lacks ${status.pending.join(', ')}: run signoff migrate first`])
  }
  if (status && status.newer.length > 0) log.warn(`${sentenceOfNewer(status.newer)}: update the program`)
}

/** So is a Postgres that may lose what it has committed. */
async function checkPostgres(
  databaseUrl: string,
  { isProduction, log }: { isProduction: boolean; log: SystemLog },
): Promise<void> {
  const problem = await postgresUnfitness(databaseUrl).catch((error: unknown) => {
    log.warn({ err: error }, 'Postgres could not be asked yet: serving without having seen how it is set up')
    return null
  })
  if (problem === null) return
  if (isProduction) throw new ConfigError([`DATABASE_URL: ${problem}`])
  log.error(problem)
}

/** A Redis that may evict, or that does not let us see whether, is a mistake of deployment, too. */
async function checkRedis(redisUrl: string, log: SystemLog): Promise<void> {
  const problem = await redisUnfitness(redisUrl).catch((error: unknown) => {
    // Not the error itself, which has the command with it, and a password with that.
    const { sentence } = redisFailure(error)
    log.warn(
      { reason: redisFailureDetail(error) },
      `serving without having seen how Redis is set up, and not believing it before that: ${sentence}`,
    )
    return null
  })
  if (problem !== null) throw new ConfigError([`REDIS_URL: ${problem}`])
}
