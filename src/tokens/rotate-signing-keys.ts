// The next text of the signing keys' file: one key more, and without those whose tokens are long dead.
import type { EpochSeconds } from '../contract/claims.ts'
import { holdSecondsOf, keySchedule } from './key-schedule.ts'
import { generateSigningJwk, jwksText, readSigningKeys, SIGNS_FROM } from './signing-keys.ts'

export interface Rotation {
  now: EpochSeconds
  /** When the new key is to sign, at the earliest: a key that waits already goes first. */
  signsFrom: EpochSeconds
}

export interface RotatedKeys {
  /** Of the whole file. */
  text: string
  kid: string
  signsFrom: EpochSeconds
  /** The names of the keys that were taken out. */
  removed: string[]
}

/**
 * A key leaves the file only when it is retired under every value that the settings may have: the process that rotates
 * need not know those of the instances.
 */
const LONGEST_HOLD_SECONDS = holdSecondsOf({ accessTtlSeconds: 86_400, leewaySeconds: 300 })

/** Peers read no more than 64 KiB of keys; some read less. */
const MAX_KEYS = 32

/** Rejects with an `Error` that says what is wrong with the file, or that it holds too many keys. */
export async function rotateSigningKeys(text: string, { now, signsFrom }: Rotation): Promise<RotatedKeys> {
  const keys = await readSigningKeys(text)
  const { keys: jwks } = JSON.parse(text) as { keys: object[] }
  const schedule = keySchedule(keys, { now, holdSeconds: LONGEST_HOLD_SECONDS })
  const kept = jwks.filter((_, index) => schedule[index]?.state !== 'retired')
  if (kept.length >= MAX_KEYS) {
    throw new Error(
      `the file holds ${kept.length} keys: the oldest are removed a day after they were replaced`,
    )
  }

  const added = await generateSigningJwk()
  // Of two keys with the same time the later one in the file signs.
  const from = Math.max(signsFrom, ...keys.map((key) => key.signsFrom ?? 0))
  return {
    // Behind the others: to a version that knows no times, the first still signs.
    text: jwksText([...kept, { ...added, [SIGNS_FROM]: from }]),
    kid: added.kid,
    signsFrom: from,
    removed: schedule.flatMap(({ key, state }) => (state === 'retired' ? [key.kid] : [])),
  }
}
