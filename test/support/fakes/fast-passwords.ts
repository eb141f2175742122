// The Passwords port at no cost, counting what a real one would have to work for.
import { createHash, randomUUID } from 'node:crypto'
import { AuthError } from '../../../src/auth/errors.ts'
import type { Passwords } from '../../../src/auth/ports/accounts.ts'

export interface FastPasswords extends Passwords {
  /** The hash of each verification so far. */
  readonly verified: string[]
  /** How many hashes were made. */
  readonly hashed: number
  /** While `true`, there is no room for more work. */
  isFull: boolean
}

const CURRENT = 'fast-2'

export function fastPasswords(): FastPasswords {
  const verified: string[] = []
  let hashed = 0
  const passwords: FastPasswords = {
    verified,
    get hashed() {
      return hashed
    },
    isFull: false,

    hash: async (password) => {
      await room()
      hashed += 1
      return fastHash(password)
    },
    verify: async (passwordHash, password) => {
      await room()
      verified.push(passwordHash)
      const [version = '', salt = '', digest] = passwordHash.split('$')
      return digest === digestOf(version, salt, password)
    },
    isOutdated: (passwordHash) => !passwordHash.startsWith(`${CURRENT}$`),
  }
  return passwords

  async function room(): Promise<void> {
    await Promise.resolve()
    if (passwords.isFull) throw new AuthError('unavailable')
  }
}

/** A hash that `fastPasswords` verifies; outdated with any other version than today's. */
export function fastHash(password: string, version = CURRENT): string {
  const salt = randomUUID()
  return `${version}$${salt}$${digestOf(version, salt, password)}`
}

function digestOf(version: string, salt: string, password: string): string {
  return createHash('sha256')
    .update(JSON.stringify([version, salt, password]))
    .digest('hex')
}
