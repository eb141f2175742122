// Ends the session behind a refresh token; every token it ever issued is refused from then on.
import type { EpochSeconds } from '../contract/claims.ts'
import { AuthError } from './errors.ts'
import type { Denylist, Origin, Sessions, Tokens } from './ports.ts'
import { verifyRefresh } from './verify-refresh.ts'

export interface LogoutDeps {
  tokens: Tokens
  sessions: Sessions
  denylist: Denylist
  now: () => EpochSeconds
  /** How far clocks may differ: a denial outlives its token by as much. */
  leewaySeconds: number
}

export interface LogoutInput {
  refreshToken: string
  origin: Origin
}

/**
 * Resolves once the end is durable. Rejects with `token_invalid`, `token_expired`,
 * `token_wrong_type`, `token_denied` (already over) or `unavailable`.
 */
export async function logout(deps: LogoutDeps, input: LogoutInput): Promise<void> {
  const claims = verifyRefresh(deps.tokens, input.refreshToken)
  const entry = { type: 'USER_LOGOUT', origin: input.origin, userId: claims.sub } as const

  // Journal before denylist: Redis may forget, Postgres may not.
  const denial = await deps.sessions.end(claims.sid, 'logout', entry).catch(async (error: unknown) => {
    // Not durable, so not a logout; but whoever asked wants the session shut, and Redis may still hear it.
    await deps.denylist.deny([
      { id: claims.sid, ttlMs: (claims.exp + deps.leewaySeconds - deps.now()) * 1000 },
    ])
    throw error
  })
  if (!denial) throw new AuthError('token_denied')

  await deps.denylist.deny([denial])
}
