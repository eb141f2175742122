// Where the commands beside a service find its database and its Redis.
import type { Config } from '../config.ts'
import { ConfigError } from '../settings/config-error.ts'
import { readRunning } from '../embedded/data-dir/hold-data-dir.ts'

/** DATABASE_URL, else the database of the `signoff start` that holds DATA_DIR. Rejects with `ConfigError`. */
export async function databaseUrlOf(config: Config): Promise<string> {
  const url = config.DATABASE_URL ?? (await readRunning(config.DATA_DIR))?.databaseUrl
  if (url) return url
  throw new ConfigError([neededSetting('DATABASE_URL', config)])
}

export interface StoreUrls {
  databaseUrl: string
  redisUrl: string
}

/**
 * DATABASE_URL and REDIS_URL, else those of the `signoff start` that holds DATA_DIR. Rejects with `ConfigError`,
 * also where one is set and the other would be that of a service on another one: the denials of a database
 * belong in its own Redis.
 */
export async function storeUrlsOf(config: Config): Promise<StoreUrls> {
  const given = { databaseUrl: config.DATABASE_URL, redisUrl: config.REDIS_URL }
  const isGiven = given.databaseUrl !== undefined && given.redisUrl !== undefined
  const running = isGiven ? null : await readRunning(config.DATA_DIR)
  const isItsOwn =
    [undefined, running?.databaseUrl].includes(given.databaseUrl) &&
    [undefined, running?.redisUrl].includes(given.redisUrl)
  const { databaseUrl, redisUrl } = isItsOwn && running ? running : given
  if (databaseUrl && redisUrl) return { databaseUrl, redisUrl }
  throw new ConfigError(
    running
      ? ['DATABASE_URL and REDIS_URL: set both, or neither for those of the running "npm start"']
      : Object.entries({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl })
          .filter(([, url]) => !url)
          .map(([name]) => neededSetting(name, config)),
  )
}

/** REDIS_URL, else the Redis of the `signoff start` that holds DATA_DIR, if that is on this database; else `null`. */
export async function redisUrlBeside(config: Config, databaseUrl: string): Promise<string | null> {
  if (config.REDIS_URL !== undefined) return config.REDIS_URL
  const running = await readRunning(config.DATA_DIR)
  return running?.databaseUrl === databaseUrl ? (running.redisUrl ?? null) : null
}

function neededSetting(name: string, { DATA_DIR }: Config): string {
  return `${name}: is needed, or a running "npm start" that holds ${DATA_DIR}`
}
