// The closed set of ways the rules say no.

/**
 * - `credentials_invalid`: unknown user, wrong password or inactive user; never said which.
 * - `token_invalid`: not a token of ours, or altered.
 * - `token_expired`: was one of ours, and its time is over.
 * - `token_wrong_type`: an access token where a refresh token is due, or the reverse.
 * - `token_denied`: its session is over.
 * - `unavailable`: the state is not known, or there is no room for the work; try again later.
 */
export type AuthErrorCode =
  | 'credentials_invalid'
  | 'token_invalid'
  | 'token_expired'
  | 'token_wrong_type'
  | 'token_denied'
  | 'unavailable'

/** What every rule and port rejects with; anything else is a defect. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: AuthErrorCode

  constructor(code: AuthErrorCode, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}
