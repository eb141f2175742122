// Ends the session behind a refresh token, or others of its user.
import { endScope, type EndSessionDeps, type LogoutScope } from './end-session.ts'
import type { Caller } from '../ports/caller.ts'
import type { Tokens } from '../ports/tokens.ts'
import { verifyRefreshToEnd } from '../tokens/verify-to-end.ts'

export interface LogoutDeps extends EndSessionDeps {
  tokens: Tokens
}

export interface LogoutInput {
  refreshToken: string
  /** `this` by default. */
  scope?: LogoutScope
  caller: Caller
}

/**
 * Resolves once the end is durable. A refresh token that its successor has replaced will do: who
 * wants the session over is to have it over. Rejects with `token_invalid`, `token_expired`,
 * `token_wrong_type`, `token_denied` (already over) or `unavailable`.
 */
export async function logout(deps: LogoutDeps, input: LogoutInput): Promise<void> {
  const claims = verifyRefreshToEnd(deps.tokens, input.refreshToken)
  await endScope(deps, input.scope ?? 'this', { claims, caller: input.caller })
}
