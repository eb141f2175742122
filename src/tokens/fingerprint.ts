// Makes of a secret what may be told of it, so that two who have it can see whether it is the same.
import type { Signer } from './jws.ts'

/** No signing input of a token, which has a dot, nor what a `jti` is made from. */
const FINGERPRINTED = 'signoff fingerprint'

/**
 * Sixteen bits of an HMAC: of two secrets that differ, one pair in 65,536 looks the same. It is short on purpose: a
 * person may have made up the secret, and with more of it somebody who reads the fingerprint could try guesses until
 * one fits; of these sixteen bits, too many do.
 */
export function fingerprint({ sign }: Pick<Signer, 'sign'>): string {
  return sign(FINGERPRINTED).toString('hex', 0, 2)
}
