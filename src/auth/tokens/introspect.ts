// Tells a peer what an access token says, if it is good here and now.
import type { AccessClaims } from '../../contract/claims.ts'
import { isTokensFault } from '../errors.ts'
import type { Usernames } from '../ports/accounts.ts'
import { authenticate, type AuthenticateDeps } from './verify-access.ts'

export interface IntrospectDeps extends AuthenticateDeps {
  usernames: Usernames
}

export interface Introspection {
  claims: AccessClaims
  /** `null` where it cannot be had at once: nobody is kept waiting for it. */
  username: string | null
}

/** Resolves to `null` for whatever is no live access token, without a reason. Rejects with `unavailable`. */
export async function introspect(deps: IntrospectDeps, token: string): Promise<Introspection | null> {
  const claims = await claimsIfLive(deps, token)
  return claims && { claims, username: await deps.usernames.nameOf(claims.sub) }
}

async function claimsIfLive(deps: AuthenticateDeps, token: string): Promise<AccessClaims | null> {
  try {
    return await authenticate(deps, token)
  } catch (error) {
    if (isTokensFault(error)) return null
    throw error
  }
}
