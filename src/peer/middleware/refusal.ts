// How a refused token is answered over HTTP (RFC 6750 section 3).
import { TokenError, type TokenErrorCode } from '../token-error.ts'

export interface Refusal {
  status: 401 | 503
  headers: Record<string, string>
  body: { error: TokenErrorCode }
}

const INVALID = { status: 401, headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } } as const
const UNAVAILABLE = { status: 503, headers: { 'Retry-After': '1' } } as const

const REFUSALS: Record<TokenErrorCode, Omit<Refusal, 'body'>> = {
  // Without a token there is nothing to be wrong (section 3.1).
  token_missing: { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } },
  token_invalid: INVALID,
  token_expired: INVALID,
  token_denied: INVALID,
  denylist_unknown: UNAVAILABLE,
  keys_unavailable: UNAVAILABLE,
}

/** Throws what is no `TokenError`: that is nothing to tell a client of. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof TokenError)) throw error
  return { ...REFUSALS[error.code], body: { error: error.code } }
}
