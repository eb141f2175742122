// The closed set of ways the rules say no.

/**
 * Any credential can meet these:
 *
 * - `credentials_invalid`: unknown user, wrong password or inactive user; never said which.
 * - `token_invalid`: not a token of ours, or altered.
 * - `token_expired`: was one of ours, and its time is over.
 * - `token_wrong_type`: an access token where a refresh token is due, or the reverse.
 * - `token_denied`: its session is over.
 * - `token_outlives_denial`: of another service, and good for longer than a denial is kept, or for ever.
 * - `throttled`: too many attempts; `retryAfterSeconds` says how long to wait.
 * - `unavailable`: the state is not known, or there is no room for the work; try again later.
 */
export type CredentialErrorCode =
  | 'credentials_invalid'
  | 'token_invalid'
  | 'token_expired'
  | 'token_wrong_type'
  | 'token_denied'
  | 'token_outlives_denial'
  | 'throttled'
  | 'unavailable'

/**
 * The management of accounts and sessions can meet these:
 *
 * - `username_invalid`, `password_too_weak`: `reasons` says why.
 * - `username_taken`: somebody else has it.
 * - `session_not_found`: the user has no such live session.
 */
export type AccountErrorCode =
  'username_invalid' | 'username_taken' | 'password_too_weak' | 'session_not_found'

/** `failed`: a store refused what it was asked, for a reason of ours; trying again would not help. */
export type AuthErrorCode = CredentialErrorCode | AccountErrorCode | 'failed'

export interface AuthErrorOptions extends ErrorOptions {
  retryAfterSeconds?: number
  /** For the person who asked, a sentence each. */
  reasons?: readonly string[]
}

/** Every rule and port rejects with this; anything else is a defect. */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  readonly code: AuthErrorCode
  readonly retryAfterSeconds: number
  readonly reasons: readonly string[]

  constructor(code: AuthErrorCode, options: AuthErrorOptions = {}) {
    const { retryAfterSeconds = 0, reasons = [], ...errorOptions } = options
    super(code, errorOptions)
    this.code = code
    this.retryAfterSeconds = retryAfterSeconds
    this.reasons = reasons
  }
}

const TOKENS_FAULT: readonly AuthErrorCode[] = [
  'token_invalid',
  'token_expired',
  'token_wrong_type',
  'token_denied',
]

/**
 * Whether the token is to blame, and dead for that, as opposed to whoever has to be asked about it. One that outlives
 * its denial is alive.
 */
export function isTokensFault(error: unknown): boolean {
  return error instanceof AuthError && TOKENS_FAULT.includes(error.code)
}
