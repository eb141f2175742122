// Ends what stands behind an access token: the session of one of ours, or just that token if another service issued it.
import type { Journal } from '../ports/denials.ts'
import type { Caller } from '../ports/caller.ts'
import type { CallerAddress } from '../ports/log.ts'
import type { ForeignToken, ForeignTokens } from '../ports/tokens.ts'
import { deny, endSession } from './end-session.ts'
import { type LogoutDeps } from './logout.ts'
import { verifyAccessToEnd } from '../tokens/verify-to-end.ts'

export interface LogoutBearerDeps extends LogoutDeps {
  journal: Journal
  foreignTokens: ForeignTokens
}

/**
 * Resolves once the end is durable. Rejects with `token_invalid`, `token_expired`, `token_wrong_type`,
 * `token_denied` (already over), `token_outlives_denial` (of another service; nothing was done) or `unavailable`.
 */
export async function logoutBearer(
  deps: LogoutBearerDeps,
  { token, caller }: { token: string; caller: Caller },
): Promise<void> {
  if (deps.tokens.isOurs(token)) {
    await endSession(deps, { claims: verifyAccessToEnd(deps.tokens, token), caller })
    return
  }
  await denyForeign(deps, { foreign: await deps.foreignTokens.verify(token), caller })
}

/** Resolves once the denial is durable. Rejects with `token_denied` (already denied) or `unavailable`. */
export async function denyForeign(
  deps: LogoutBearerDeps,
  { foreign, caller }: { foreign: ForeignToken; caller: CallerAddress },
): Promise<void> {
  const { id, issuer, expiresAt } = foreign
  const message = issuer === null ? 'a token of another service' : `a token of ${issuer}`
  await deny(deps, { id, expiresAt }, async () => {
    const denial = await deps.journal.deny({ id, expiresAt }, { type: 'USER_LOGOUT', caller, message })
    return denial && [denial]
  })
}
