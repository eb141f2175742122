// Trades a refresh token for a new access token, and for its successor where the session rotates.
import type { RefreshClaims } from '../contract/claims.ts'
import { checkLive, type CheckLiveDeps } from './check-live.ts'
import { AuthError } from './errors.ts'
import { sessionOf } from './generations.ts'
import type { Origin } from './ports/log.ts'
import type { SignedAccess, SignedRefresh } from './ports/tokens.ts'
import { rotate, type RotateDeps } from './rotate.ts'
import { verifyRefresh } from './verify-refresh.ts'

export interface RefreshDeps extends CheckLiveDeps, RotateDeps {}

export interface RefreshInput {
  token: string
  origin: Origin
}

export interface Refreshed {
  claims: RefreshClaims
  access: SignedAccess
}

/**
 * Resolves to an access token; the refresh token stays as it is. Does not touch Postgres while the
 * denylist says that the token is live, unless it has a generation: then the session's row has the last word.
 * Rejects with `token_invalid`, `token_expired`, `token_wrong_type`, `token_denied` or `unavailable`.
 */
export async function refresh(deps: RefreshDeps, { token, origin }: RefreshInput): Promise<Refreshed> {
  const claims = verifyRefresh(deps.tokens, token)
  if (claims.gen !== undefined) await sessionOf(deps, { claims, origin })
  else await checkLiveOrReused(deps, { claims, origin })
  return { claims, access: deps.tokens.signAccess(grantOf(claims), claims.exp) }
}

/** One that is denied may have been rotated elsewhere and come back here: then its session ends, as everywhere. */
async function checkLiveOrReused(
  deps: RefreshDeps,
  { claims, origin }: { claims: RefreshClaims; origin: Origin },
): Promise<void> {
  try {
    await checkLive(deps, claims)
  } catch (error) {
    const isDenied = error instanceof AuthError && error.code === 'token_denied'
    // Whatever comes of that, the token stays denied.
    if (isDenied) await sessionOf(deps, { claims, origin }).catch(() => undefined)
    throw error
  }
}

/** Resolves to a new pair of the session, as `rotate` does. Rejects as `refresh` does. */
export async function refreshRotating(
  deps: RefreshDeps,
  { token, origin }: RefreshInput,
): Promise<Refreshed & { refresh: SignedRefresh }> {
  const claims = verifyRefresh(deps.tokens, token)
  const next = await rotate(deps, { claims, origin })
  return { claims, access: deps.tokens.signAccess(grantOf(claims), next.exp), refresh: next }
}

function grantOf({ sid, sub, scope }: RefreshClaims) {
  return { sid, userId: sub, scope }
}
