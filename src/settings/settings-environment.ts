// Where the settings come from: the variables of this process, and a file .env.
import { join } from 'node:path'
import { parse } from 'dotenv'
import { readTrustedFile } from '../file-trust.ts'
import { ConfigError } from './config-error.ts'

/** The variables as they are, without `.env`; for child processes. */
export const environment: NodeJS.ProcessEnv = process.env

/**
 * `variables` over those of `.env` in `directory`, where there is one; for `readConfig`. Throws `ConfigError`
 * when it cannot be read, or others can write it. Read by dotenv, since `parseEnv` of Node 20 loses the line after a
 * broken one.
 */
export function settingsEnvironment(directory = '.', variables = environment): NodeJS.ProcessEnv {
  return { ...parse(readDotEnv(directory)), ...withoutEmpty(variables) }
}

/** An empty value counts as none. */
export function withoutEmpty(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}

function readDotEnv(directory: string): string {
  try {
    return readTrustedFile(join(directory, '.env'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new ConfigError([`.env: ${(error as Error).message}`])
  }
}
