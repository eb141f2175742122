// The closed set of ways a peer says no.

/**
 * - `token_missing`: there is none.
 * - `token_invalid`: not an access token of this issuer for this audience, or altered.
 * - `token_expired`: was one, and its time is over.
 * - `token_denied`: its session is over, or the token itself was revoked.
 * - `denylist_unknown`: whether it was revoked cannot be told now; try again in a second.
 * - `keys_unavailable`: whether it was signed by the issuer cannot be told now; try again in a second.
 */
export type TokenErrorCode =
  | 'token_missing'
  | 'token_invalid'
  | 'token_expired'
  | 'token_denied'
  | 'denylist_unknown'
  | 'keys_unavailable'

/** `verify` rejects with this; anything else is a defect. */
export class TokenError extends Error {
  override readonly name = 'TokenError'
  readonly code: TokenErrorCode

  constructor(code: TokenErrorCode, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}
