// A hashing thread runs this: argon2id with the parameters of OWASP's first recommendation.
import { hashSync, verifySync } from '@node-rs/argon2'

/** The cost of one hash (argon2id is the library's default): 19 MiB, two passes, one lane. */
export const ARGON2_PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

export type Argon2Task = { password: string } | { password: string; passwordHash: string }

/** The PHC string of the password, or whether it is the one behind `passwordHash`; `null` where that is no hash. */
export default function runArgon2(task: Argon2Task): string | boolean | null {
  if (!('passwordHash' in task)) return hashSync(task.password, ARGON2_PARAMETERS)
  try {
    return verifySync(task.passwordHash, task.password)
  } catch {
    return null
  }
}
