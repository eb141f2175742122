// Trades a refresh token for a new access token, and for its successor where the session rotates.
import type { EpochSeconds, RefreshClaims } from '../../contract/claims.ts'
import { checkLive, type CheckLiveDeps } from './check-live.ts'
import { AuthError } from '../errors.ts'
import type { Presented } from './refresh-reuse.ts'
import { NO_TOKEN } from '../ports/denials.ts'
import type { Grant, SignedAccess, SignedRefresh, Tokens } from '../ports/tokens.ts'
import { rotate, type RotateDeps } from './rotate.ts'
import { verifyRefresh } from '../tokens/verify-refresh.ts'

export interface RefreshDeps extends CheckLiveDeps, RotateDeps {}

export interface RefreshInput extends Omit<Presented, 'claims'> {
  token: string
}

export interface Refreshed {
  claims: RefreshClaims
  access: SignedAccess
  /** `null` where the session does not rotate: the refresh token stays as it is. */
  refresh: SignedRefresh | null
}

export interface Rotated extends Refreshed {
  refresh: SignedRefresh
}

/**
 * Resolves to an access token; the refresh token stays as it is, unless it has a generation or was rotated before:
 * then this is a rotation, whatever the setting here. Does not touch Postgres while the denylist says that a token
 * without a generation is live. Rejects with `token_invalid`, `token_expired` (also where no living access token can
 * come of it any more), `token_wrong_type`, `token_denied` or `unavailable`.
 */
export async function refresh(deps: RefreshDeps, input: RefreshInput): Promise<Refreshed> {
  const presented = verified(deps.tokens, input)
  const { claims } = presented
  if (claims.gen !== undefined || (await isReplaced(deps, claims))) return await rotated(deps, presented)
  const { sid, sub: userId, scope, claims: own } = claims
  const grant = { sid, userId, scope, claims: own }
  return { claims, access: livingAccess(deps.tokens, grant, claims.exp), refresh: null }
}

/**
 * Whether a token without a generation was used up where rotation is on, while its session goes on: a client whose
 * answer was lost there, and who asks again here, gets what it would have got there. Rejects as `checkLive` does.
 */
async function isReplaced(deps: RefreshDeps, claims: RefreshClaims): Promise<boolean> {
  try {
    await checkLive(deps, claims)
    return false
  } catch (error) {
    const isDenied = error instanceof AuthError && error.code === 'token_denied'
    if (!isDenied) throw error
  }
  await checkLive(deps, { sid: claims.sid, jti: NO_TOKEN })
  return true
}

/** Resolves to a new pair of the session, as `rotate` does. Rejects as `refresh` does. */
export async function refreshRotating(deps: RefreshDeps, input: RefreshInput): Promise<Rotated> {
  return await rotated(deps, verified(deps.tokens, input))
}

function verified(tokens: Tokens, { token, caller }: RefreshInput): Presented {
  return { claims: verifyRefresh(tokens, token), caller }
}

async function rotated(deps: RefreshDeps, presented: Presented): Promise<Rotated> {
  const { claims } = presented
  const { refresh: next, session } = await rotate(deps, presented)
  // Role and claims as they are now, and not as the token has them: those are as old as the login.
  const { role: scope, claims: own } = session
  const grant = { sid: claims.sid, userId: claims.sub, scope, claims: own }
  return { claims, access: livingAccess(deps.tokens, grant, next.exp), refresh: next }
}

/** Throws `token_expired` where an access token would be dead already: within the leeway, its refresh token is not. */
function livingAccess(tokens: Tokens, grant: Grant, notAfter: EpochSeconds): SignedAccess {
  const access = tokens.signAccess(grant, notAfter)
  if (access.expiresIn <= 0) throw new AuthError('token_expired')
  return access
}
