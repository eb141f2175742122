// Where the commands beside a service find its database.
import { ConfigError, type Config } from '../config.ts'
import { readRunning } from '../embedded/data-dir/hold-data-dir.ts'

/** DATABASE_URL, else the database of the `signoff start` that holds DATA_DIR. Rejects with `ConfigError`. */
export async function databaseUrlOf(config: Config): Promise<string> {
  const url = config.DATABASE_URL ?? (await readRunning(config.DATA_DIR))?.databaseUrl
  if (url) return url
  throw new ConfigError([`DATABASE_URL: is needed, or a running "npm start" that holds ${config.DATA_DIR}`])
}
