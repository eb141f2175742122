// Tokens: ours, signed and verified; and those of other login services.
import type { AccessClaims, EpochSeconds, OwnClaims, RefreshClaims } from '../../contract/claims.ts'
import type { DeniedId } from '../../contract/denylist-keys.ts'

/** The purposes that a token is made for. */
export interface Grant {
  sid: string
  userId: string
  scope: string
  /** Own claims, which an access token carries beside ours. A refresh token that does not rotate carries them along. */
  claims?: OwnClaims | undefined
  /** Of a refresh token: the cookie that holds it, and those of its successors, outlive the browser. */
  persistent?: true | undefined
}

/** Synchronous: token crypto stays off the thread pool that password hashing and DNS share. */
export interface Tokens {
  /** Signs an access token; it never outlives `notAfter`, when the session's refresh token ends. */
  signAccess(grant: Grant, notAfter: EpochSeconds): SignedAccess
  /** The first refresh token of a session; with `rotates`, it is of generation 0. */
  signRefresh(grant: Grant, rotates: boolean): SignedRefresh
  /** The refresh token of a later generation: for the same input the same token, byte for byte. */
  signSuccessor(grant: Grant, successor: Successor): SignedRefresh
  /** The `jti` that the successor of that generation will have. */
  successorJti(sid: string, generation: number): string
  /** For using it, here and now. Throws `token_invalid` or `token_expired`. */
  verify(token: string): AccessClaims | RefreshClaims
  /**
   * For ending its session: by signature, issuer, audience and type alone. Its `iat` and `nbf` say nothing, since
   * this clock may be behind the one that issued it. Throws `token_invalid`.
   */
  identify(token: string): IdentifiedToken
  /** Whether it says of itself that it is one of ours; nothing is verified. */
  isOurs(token: string): boolean
}

export interface IdentifiedToken {
  claims: AccessClaims | RefreshClaims
  /** By this clock, which may be ahead of others. */
  hasExpired: boolean
}

export interface Successor {
  generation: number
  issuedAt: EpochSeconds
  expiresAt: EpochSeconds
}

export interface SignedAccess {
  token: string
  /** Seconds it lives. */
  expiresIn: number
}

export interface SignedRefresh {
  token: string
  jti: string
  exp: EpochSeconds
}

/** Tokens that another login service issued (`SECRET_KEY`, `TRUSTED_ISSUERS`). */
export interface ForeignTokens {
  /**
   * For ending it, which is all that can be done with it here: `iat` and `nbf` say nothing. Rejects with
   * `token_invalid`, `token_expired`, `token_wrong_type` (a refresh token), `token_outlives_denial`, or `unavailable`
   * when the issuer's keys cannot be had.
   */
  verify(token: string): Promise<ForeignToken>
}

export interface ForeignToken {
  /** Under which it is denied: one id, however the token is spelt. */
  id: DeniedId
  /** `null` where the token names none. */
  issuer: string | null
  expiresAt: EpochSeconds
}
