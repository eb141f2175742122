// The Passwords port: argon2id on threads of its own, as many as cores, behind a bounded and fair queue.
import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Piscina } from 'piscina'
import { AuthError } from '../auth/errors.ts'
import type { HashCaller, Passwords } from '../auth/ports/accounts.ts'
import { siteOf } from '../auth/guessing/client-network.ts'
import type { SystemLog } from '../ops/log.ts'
import { ARGON2_PARAMETERS, type Argon2Task } from './argon2-worker.ts'
import { fairQueue } from './fair-queue.ts'

/** Hashes that wait, all together; those that are too late by then cost nothing when their turn comes. */
const MAX_WAITING = 512
/**
 * Hashing threads yield to the one that answers requests: a login storm slows logins, not refreshes.
 * (Linux; elsewhere they compete as equals.)
 */
const NICE_INCREMENT = 10

const CURRENT_PREFIX = `$argon2id$v=19$m=${ARGON2_PARAMETERS.memoryCost},t=${ARGON2_PARAMETERS.timeCost},p=${ARGON2_PARAMETERS.parallelism}$`

export interface Argon2Passwords extends Passwords {
  /** No password's: to verify against it takes as long as against a stored one, and is always false. */
  decoyHash: string
  close(): Promise<void>
}

export function argon2Passwords(log: SystemLog): Argon2Passwords {
  const threads = availableParallelism()
  const pool = new Piscina<Argon2Task, string | boolean | null>({
    filename: new URL(`./argon2-worker${extname(import.meta.url)}`, import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    niceIncrement: NICE_INCREMENT,
    recordTiming: false,
  })

  const queue = fairQueue({ concurrency: threads, maxWaiting: MAX_WAITING })
  const inTurn = async <T>({ ipAddress, isInTime }: HashCaller, work: () => Promise<T>): Promise<T> =>
    await queue.run({ network: siteOf(ipAddress), isInTime }, work)

  return {
    hash: async (password, caller) => (await inTurn(caller, async () => await run({ password }))) as string,
    verify: async (passwordHash, password, caller) =>
      await inTurn(caller, async () => {
        const matches = await run({ passwordHash, password })
        if (matches !== null) return matches as boolean
        // As slow as an answer would have been.
        await run({ password })
        return false
      }),
    decoyHash: `${CURRENT_PREFIX}${base64Of(randomBytes(16))}$${base64Of(randomBytes(32))}`,
    isOutdated: (passwordHash) => !passwordHash.startsWith(CURRENT_PREFIX),
    close: async () => {
      await pool.close()
    },
  }

  async function run(task: Argon2Task): Promise<string | boolean | null> {
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

/** As the PHC string format writes it. */
function base64Of(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
