// Ends what stands behind a token that a peer hands in, of whatever kind it is.
import { AuthError, isTokensFault } from '../errors.ts'
import { denyForeign, type LogoutBearerDeps } from '../sessions/logout-bearer.ts'
import { ensureEnded, hold } from '../sessions/logout-either.ts'
import type { Caller } from '../ports/caller.ts'

export interface RevokeTokenInput {
  token: string
  /** The peer's id. */
  clientId: string
  caller: Caller
}

/**
 * Resolves once the end is durable: of the session behind a token of ours, of the very token if another
 * service issued it. Resolves, too, where there is nothing to end: who wants a token dead that is none, or that
 * is dead already, has what they want. Rejects with `unavailable`, or with `token_outlives_denial`, as that token
 * goes on living.
 */
export async function revokeToken(deps: LogoutBearerDeps, input: RevokeTokenInput): Promise<void> {
  try {
    await (deps.tokens.isOurs(input.token) ? endOurs(deps, input) : endForeign(deps, input))
  } catch (error) {
    if (!isTokensFault(error)) throw error
  }
}

async function endOurs(deps: LogoutBearerDeps, input: RevokeTokenInput): Promise<void> {
  const { token, clientId, caller } = input
  const { claims, hasExpired } = deps.tokens.identify(token)
  // By this clock, which may be ahead of those that still take it. So the session is to be over; but where it is
  // over by its row, nothing more is written for a token that is as good as dead.
  if (hasExpired && !(await deps.sessions.find(claims.sid))) await hold(deps, claims.sid)
  else await ensureEnded(deps, { claims, caller, message: `by the peer ${clientId}` })
}

async function endForeign(deps: LogoutBearerDeps, { token, caller }: RevokeTokenInput): Promise<void> {
  const foreign = await deps.foreignTokens.verify(token)
  try {
    await denyForeign(deps, { foreign, caller })
  } catch (error) {
    const isDenied = error instanceof AuthError && error.code === 'token_denied'
    if (!isDenied) throw error
    await hold(deps, foreign.id)
  }
}
