// The Passwords port: argon2id on threads of its own, as many as cores, behind a bounded queue.
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Piscina } from 'piscina'
import { AuthError } from '../auth/errors.ts'
import type { Passwords } from '../auth/ports/accounts.ts'
import type { SystemLog } from '../ops/log.ts'
import { ARGON2_PARAMETERS, type Argon2Task } from './argon2-worker.ts'

/** Hashes that wait; at some 100 a second and core, the last one is served within seconds. */
const MAX_QUEUE = 512
/**
 * Hashing threads yield to the one that answers requests: a login storm slows logins, not refreshes.
 * (Linux; elsewhere they compete as equals.)
 */
const NICE_INCREMENT = 10

const CURRENT_PREFIX = `$argon2id$v=19$m=${ARGON2_PARAMETERS.memoryCost},t=${ARGON2_PARAMETERS.timeCost},p=${ARGON2_PARAMETERS.parallelism}$`

export interface Argon2Passwords extends Passwords {
  close(): Promise<void>
}

export function argon2Passwords(log: SystemLog): Argon2Passwords {
  const threads = availableParallelism()
  const pool = new Piscina<Argon2Task, string | boolean | null>({
    filename: new URL(`./argon2-worker${extname(import.meta.url)}`, import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    maxQueue: MAX_QUEUE,
    niceIncrement: NICE_INCREMENT,
    recordTiming: false,
  })

  return {
    hash: async (password) => (await run({ password })) as string,
    verify: async (passwordHash, password) => {
      const matches = await run({ passwordHash, password })
      if (matches !== null) return matches as boolean
      // As slow as an answer would have been.
      await run({ password })
      return false
    },
    isOutdated: (passwordHash) => !passwordHash.startsWith(CURRENT_PREFIX),
    close: async () => {
      await pool.close()
    },
  }

  async function run(task: Argon2Task): Promise<string | boolean | null> {
    if (pool.queueSize >= MAX_QUEUE) throw new AuthError('unavailable')
    try {
      const result = await pool.run(task)
      if (result === null) log.error('a stored password hash cannot be read: its user cannot log in')
      return result
    } catch (error) {
      log.error({ err: error }, 'a password could not be hashed')
      throw new AuthError('unavailable', { cause: error })
    }
  }
}
