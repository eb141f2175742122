// Trades a refresh token for a new access token, without touching Postgres while the denylist can tell.
import { checkLive, type CheckLiveDeps } from './check-live.ts'
import type { Tokens } from './ports.ts'
import { verifyRefresh } from './verify-refresh.ts'

export interface RefreshDeps extends CheckLiveDeps {
  tokens: Tokens
}

/**
 * Resolves to an access token. Rejects with `token_invalid`, `token_expired`,
 * `token_wrong_type`, `token_denied` or `unavailable`.
 */
export async function refresh(deps: RefreshDeps, token: string): Promise<string> {
  const claims = verifyRefresh(deps.tokens, token)
  await checkLive(deps, claims)
  return deps.tokens.signAccess({ sid: claims.sid, userId: claims.sub, scope: claims.scope }, claims.exp)
}
