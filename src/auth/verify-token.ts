// Says whether a token of either kind is good here and now.
import { checkLive } from './check-live.ts'
import type { RefreshDeps } from './refresh.ts'

/** Resolves when it is. Rejects with `token_invalid`, `token_expired`, `token_denied` or `unavailable`. */
export async function verifyToken(deps: RefreshDeps, token: string): Promise<void> {
  await checkLive(deps, deps.tokens.verify(token))
}
