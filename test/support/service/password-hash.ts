// What a password is stored as, computed once for each: most users of the tests have the same one.
import runArgon2 from '../../../src/passwords/argon2-worker.ts'

const hashes = new Map<string, string>()

/** With the parameters of today, which no login replaces. */
export function passwordHash(password: string): string {
  const known = hashes.get(password)
  if (known !== undefined) return known
  const hash = String(runArgon2({ password }))
  hashes.set(password, hash)
  return hash
}
