// Accepts a token for ending its session: one that seems to come from the future will do, as two clocks may differ.
import type { AccessClaims, RefreshClaims } from '../../contract/claims.ts'
import { AuthError } from '../errors.ts'
import type { Tokens } from '../ports/tokens.ts'

/** Throws `token_invalid`, `token_expired` or `token_wrong_type`. Says nothing about denial. */
export function verifyAccessToEnd(tokens: Tokens, token: string): AccessClaims {
  const claims = unexpired(tokens, token)
  if (claims.token_type !== 'access') throw new AuthError('token_wrong_type')
  return claims
}

/** Throws `token_invalid`, `token_expired` or `token_wrong_type`. Says nothing about denial. */
export function verifyRefreshToEnd(tokens: Tokens, token: string): RefreshClaims {
  const claims = unexpired(tokens, token)
  if (claims.token_type !== 'refresh') throw new AuthError('token_wrong_type')
  return claims
}

function unexpired(tokens: Tokens, token: string): AccessClaims | RefreshClaims {
  const { claims, hasExpired } = tokens.identify(token)
  if (hasExpired) throw new AuthError('token_expired')
  return claims
}
