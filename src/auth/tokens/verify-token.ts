// Says whether a token of either kind is good here and now.
import { checkLive } from '../sessions/check-live.ts'
import { readableSession } from '../sessions/refresh-reuse.ts'
import type { RefreshDeps } from '../sessions/refresh.ts'

/** Resolves when it is. Rejects with `token_invalid`, `token_expired`, `token_denied` or `unavailable`. */
export async function verifyToken(deps: RefreshDeps, token: string): Promise<void> {
  const claims = deps.tokens.verify(token)
  if (claims.token_type === 'access' || claims.gen === undefined) {
    await checkLive(deps, claims)
    return
  }
  await readableSession(deps, claims)
}
