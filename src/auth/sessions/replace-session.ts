// Logs in where the refresh token of another session is kept: that session ends, since nobody could end it later.
import type { RefreshClaims } from '../../contract/claims.ts'
import type { BegunSession } from './begin-session.ts'
import { AuthError, isTokensFault } from '../errors.ts'
import { hold } from './logout-either.ts'
import { login, type LoginDeps, type LoginInput } from './login.ts'
import type { Denylist, Journal } from '../ports/denials.ts'
import type { CallerAddress } from '../ports/log.ts'
import type { Tokens } from '../ports/tokens.ts'
import { verifyRefreshToEnd } from '../tokens/verify-to-end.ts'

export interface ReplaceSessionDeps extends LoginDeps {
  journal: Journal
  denylist: Denylist
}

export interface ReplaceSessionInput extends LoginInput {
  /** The refresh token that the new one replaces: any text, of whoever's session; `null` where there is none. */
  heldToken: string | null
}

/** Whose session ends, and what the log entry says of it. */
interface Replaced {
  session: { id: string; userId: string; expiresAt: number }
  caller: CallerAddress
  message: string
}

/**
 * Resolves once the new session is durable, and the end of the one before too (OWASP ASVS 5.0, 7.2.4). Rejects as
 * `login` does, which leaves that one alone; or with `unavailable` or `failed` where it cannot be ended.
 */
export async function replaceSession(
  deps: ReplaceSessionDeps,
  input: ReplaceSessionInput,
): Promise<BegunSession> {
  const { caller, heldToken } = input
  const held = heldToken === null ? null : claimsIfGood(deps.tokens, heldToken)
  // The login first: one that fails must not end what was there.
  const begun = await login(deps, input)
  if (held === null) return begun

  try {
    const session = { id: held.sid, userId: held.sub, expiresAt: held.exp }
    await end(deps, { session, caller, message: 'replaced by a login in the same browser' })
  } catch (error) {
    await discard(deps, { begun, caller })
    throw error
  }
  return begun
}

/** `null` for whatever is wrong with it: then there is nothing that could be used later. */
function claimsIfGood(tokens: Tokens, token: string): RefreshClaims | null {
  try {
    return verifyRefreshToEnd(tokens, token)
  } catch (error) {
    if (isTokensFault(error)) return null
    throw error
  }
}

/** Unlike a logout, one that fails tells the denylist nothing: its user goes on with the session. */
async function end(deps: ReplaceSessionDeps, { session, caller, message }: Replaced): Promise<void> {
  const { id: sessionId, userId } = session
  const entry = { type: 'SESSION_REVOKED', caller, userId, sessionId, message } as const
  const denial = await deps.sessions.end({ ...session, reason: 'replaced' }, entry)
  if (denial) {
    await deps.denylist.deny([denial])
    return
  }
  // It was over a moment ago, and the journal has lost that: asked again, it ends the session anew.
  if (!(await hold(deps, sessionId))) throw new AuthError('unavailable')
}

/** Nobody will get its tokens. Where its end fails too, it expires as any session does. */
async function discard(
  deps: ReplaceSessionDeps,
  { begun, caller }: { begun: BegunSession; caller: CallerAddress },
): Promise<void> {
  const session = { id: begun.sid, userId: begun.user.id, expiresAt: begun.refresh.exp }
  await end(deps, { session, caller, message: 'its login was not completed' }).catch(() => undefined)
}
