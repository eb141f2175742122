// Remembers access tokens whose signatures were verified a short while ago: most are checked again and again.
import QuickLRU from 'quick-lru'
import type { Signer } from './jws.ts'
import type { SignedClaims } from './token-claims.ts'

type FindSigner = (kid: unknown) => { signer: Signer } | undefined

/** Keeps what never changes of a token. Its times, its key, and whether it is denied are looked at each time. */
export interface VerifiedTokens {
  /** The claims of that very token, as long as `find` has the very key that verified it. */
  claimsOf(token: string, find: FindSigner): SignedClaims | undefined
  remember(token: string, verified: VerifiedToken): void
}

export interface VerifiedToken {
  kid: unknown
  /** Another one as soon as the file of the keys was read again. */
  signer: Signer | undefined
  claims: SignedClaims
}

/** About 2 KiB each. At most twice as many are kept. */
const CAPACITY = 4096

export function verifiedTokens(): VerifiedTokens {
  const tokens = new QuickLRU<string, VerifiedToken>({ maxSize: CAPACITY })
  return {
    claimsOf: (token, find) => {
      const verified = tokens.get(token)
      if (!verified) return undefined
      const isOfKey = verified.signer !== undefined && find(verified.kid)?.signer === verified.signer
      return isOfKey ? verified.claims : undefined
    },
    remember: (token, verified) => {
      // Several requests share the claims.
      Object.freeze(verified.claims)
      tokens.set(token, verified)
    },
  }
}
