// Ends what stands behind a token that a peer hands in, of whatever kind it is.
import { isTokensFault } from './errors.ts'
import { logoutBearer, type LogoutBearerDeps } from './logout-bearer.ts'
import { ensureEnded } from './logout-either.ts'
import type { Origin } from './ports/log.ts'

export interface RevokeTokenInput {
  token: string
  /** The peer's id. */
  clientId: string
  origin: Origin
}

/**
 * Resolves once the end is durable: of the session behind a token of ours, of the very token if another
 * service issued it. Resolves, too, where there is nothing to end: who wants a token dead that is none, or that
 * is dead already, has what they want. Rejects with `unavailable`.
 */
export async function revokeToken(deps: LogoutBearerDeps, input: RevokeTokenInput): Promise<void> {
  try {
    await end(deps, input)
  } catch (error) {
    if (!isTokensFault(error)) throw error
  }
}

async function end(deps: LogoutBearerDeps, { token, clientId, origin }: RevokeTokenInput): Promise<void> {
  if (deps.tokens.isOurs(token)) {
    const claims = deps.tokens.verify(token)
    await ensureEnded(deps, { claims, origin, message: `by the peer ${clientId}` })
  } else {
    await logoutBearer(deps, { token, origin })
  }
}
