// Accepts an access token and nothing else.
import type { AccessClaims } from '../../contract/claims.ts'
import { checkLive, type CheckLiveDeps } from '../sessions/check-live.ts'
import { AuthError } from '../errors.ts'
import type { Tokens } from '../ports/tokens.ts'

/** Throws `token_invalid`, `token_expired` or `token_wrong_type`. Says nothing about denial. */
export function verifyAccess(tokens: Tokens, token: string): AccessClaims {
  const claims = tokens.verify(token)
  if (claims.token_type !== 'access') throw new AuthError('token_wrong_type')
  return claims
}

export interface AuthenticateDeps extends CheckLiveDeps {
  tokens: Tokens
}

/** Resolves to the claims of a live access token. Rejects as `verifyAccess` does, or with `token_denied` or `unavailable`. */
export async function authenticate(deps: AuthenticateDeps, token: string): Promise<AccessClaims> {
  const claims = verifyAccess(deps.tokens, token)
  await checkLive(deps, claims)
  return claims
}
