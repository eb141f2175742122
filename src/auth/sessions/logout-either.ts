// Logs out by an access token, a refresh token, or both; who is logged out already has what they want.
import type { AccessClaims, RefreshClaims } from '../../contract/claims.ts'
import { AuthError } from '../errors.ts'
import { endAllSessions, endOtherSessions, endSession, type Ending, type LogoutScope } from './end-session.ts'
import { type LogoutDeps } from './logout.ts'
import type { DeniedId } from '../../contract/denylist-keys.ts'
import type { Denylist, Journal } from '../ports/denials.ts'
import type { Caller } from '../ports/caller.ts'
import type { Tokens } from '../ports/tokens.ts'
import { verifyAccessToEnd, verifyRefreshToEnd } from '../tokens/verify-to-end.ts'

/** Bounded, since a user may have had any number of sessions. */
const HELD_AT_ONCE = 500

export interface LogoutEitherDeps extends LogoutDeps {
  journal: Journal
}

export interface LogoutEitherInput {
  accessToken: string | null
  /** Where there is one, its session is meant. */
  refreshToken: string | null
  scope: LogoutScope
  caller: Caller
}

/**
 * Resolves once the end is durable, or when the session was over already. Rejects with `token_invalid`
 * (also for tokens of two users), `token_expired`, `token_wrong_type` or `unavailable`; and with
 * `token_denied` when others are meant, this session is over, and they are not.
 */
export async function logoutEither(deps: LogoutEitherDeps, input: LogoutEitherInput): Promise<void> {
  const ending: Ending = { claims: identify(deps.tokens, input), caller: input.caller }
  switch (input.scope) {
    case 'this':
      await ensureEnded(deps, ending)
      return
    case 'others':
      await endOtherSessions(deps, ending)
      return
    case 'all':
      await endAll(deps, ending)
  }
}

/** Resolves once the end of that session is durable, or when it was over already. Rejects with `unavailable`. */
export async function ensureEnded(deps: LogoutEitherDeps, ending: Ending): Promise<void> {
  if (!(await isOver(endSession(deps, ending)))) return
  // The journal had it a moment ago, and has lost it: asked again, it ends the session anew.
  if (!(await hold(deps, ending.claims.sid))) throw new AuthError('unavailable')
}

function identify(
  tokens: Tokens,
  { accessToken, refreshToken }: LogoutEitherInput,
): AccessClaims | RefreshClaims {
  if (refreshToken === null) return verifyAccessToEnd(tokens, accessToken ?? '')

  const refresh = verifyRefreshToEnd(tokens, refreshToken)
  const access = accessToken === null ? null : claimsIfGood(tokens, accessToken)
  if (access && access.sub !== refresh.sub) throw new AuthError('token_invalid')
  return refresh
}

/** `null` for whatever is wrong with it: usually it has expired, which is when people log out by the other one. */
function claimsIfGood(tokens: Tokens, token: string): AccessClaims | null {
  try {
    return verifyAccessToEnd(tokens, token)
  } catch {
    return null
  }
}

/**
 * A token whose session is over must not end those that are on. Rejects with `token_denied` then, lest
 * somebody be told that all their devices are out.
 */
async function endAll(deps: LogoutEitherDeps, ending: Ending): Promise<void> {
  if (!(await isOver(endAllSessions(deps, ending)))) return
  const { sub: userId } = ending.claims
  const others = await deps.sessions.list({ userId, before: null, limit: 1 })
  if (others.length > 0) throw new AuthError('token_denied')
  // Without a row it may just be lost: whether it is over, the journal says.
  await ensureEnded(deps, { ...ending, message: 'all devices' })
  await holdAll(deps, userId)
}

/** Whether there was nothing left to end. */
async function isOver(end: Promise<void>): Promise<boolean> {
  try {
    await end
    return false
  } catch (error) {
    if (error instanceof AuthError && error.code === 'token_denied') return true
    throw error
  }
}

export interface HoldDeps {
  journal: Journal
  denylist: Denylist
}

/**
 * Makes this instance hold what the journal has of it: another one may have ended it, and failed to write it to
 * Redis. Resolves to whether there is something. Rejects with `unavailable`.
 */
export async function hold({ journal, denylist }: HoldDeps, id: DeniedId): Promise<boolean> {
  const denial = await journal.denialOf(id)
  if (denial) await denylist.deny([denial])
  return denial !== null
}

/** The same for every session that the user has had. Rejects with `unavailable`. */
async function holdAll({ journal, denylist }: HoldDeps, userId: string): Promise<void> {
  for (let after: DeniedId | null = null, isLast = false; !isLast;) {
    const denials = await journal.denialsOfUser({ userId, after, limit: HELD_AT_ONCE })
    if (denials.length > 0) await denylist.deny(denials)
    after = denials.at(-1)?.id ?? after
    isLast = denials.length < HELD_AT_ONCE
  }
}
