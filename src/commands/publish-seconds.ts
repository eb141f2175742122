// How long a new signing key is published before it signs.
import { InvalidArgumentError } from 'commander'

/**
 * Caches need this much: a verifier that asks every ten minutes, behind a cache that keeps an answer for the five minutes
 * which it may be kept. `signoff/peer`, jose and jwks-rsa ask that often.
 */
export const CACHED_SECONDS = 900
/** The rest of the hour is for bringing the file to every instance. */
export const PUBLISH_SECONDS = 3600
const MAX_PUBLISH_SECONDS = 2_592_000

/** The typed text as a number. Throws an `InvalidArgumentError`. */
export function parsePublishSeconds(text: string): number {
  const seconds = Number(text)
  if (/^\d{1,7}$/.test(text) && seconds <= MAX_PUBLISH_SECONDS) return seconds
  throw new InvalidArgumentError(`Whole seconds from 0 to ${MAX_PUBLISH_SECONDS}, thirty days, are expected.`)
}
