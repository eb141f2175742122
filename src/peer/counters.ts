// How often what was decided, for the peer's metrics.
import type { TokenErrorCode } from './token-error.ts'

/** Since the verifier was created; each call of `verify` counts in one of them, and in `unknownAllowed` besides `accepted`. */
export interface VerificationCounters {
  accepted: number
  missing: number
  invalid: number
  expired: number
  denied: number
  /** Refused, as it could not be told whether it was revoked. */
  unknownRefused: number
  /** Accepted all the same (`onUnknown: 'allow'`). */
  unknownAllowed: number
  /** Refused, as the issuer's keys could not be had. */
  keysUnavailable: number
}

export const COUNTER_OF: Record<TokenErrorCode, keyof VerificationCounters> = {
  token_missing: 'missing',
  token_invalid: 'invalid',
  token_expired: 'expired',
  token_denied: 'denied',
  denylist_unknown: 'unknownRefused',
  keys_unavailable: 'keysUnavailable',
}

export function verificationCounters(): VerificationCounters {
  return {
    accepted: 0,
    missing: 0,
    invalid: 0,
    expired: 0,
    denied: 0,
    unknownRefused: 0,
    unknownAllowed: 0,
    keysUnavailable: 0,
  }
}
