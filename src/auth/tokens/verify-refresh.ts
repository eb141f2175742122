// Accepts a refresh token and nothing else.
import type { RefreshClaims } from '../../contract/claims.ts'
import { AuthError } from '../errors.ts'
import type { Tokens } from '../ports/tokens.ts'

/** Throws `token_invalid`, `token_expired` or `token_wrong_type`. Says nothing about denial. */
export function verifyRefresh(tokens: Tokens, token: string): RefreshClaims {
  const claims = tokens.verify(token)
  if (claims.token_type !== 'refresh') throw new AuthError('token_wrong_type')
  return claims
}
