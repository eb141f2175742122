// Ends the session of verified claims, or all of its user's; every token they ever issued is refused from then on.
import type { AccessClaims, EpochSeconds, RefreshClaims } from '../../contract/claims.ts'
import type { DeniedId } from '../../contract/denylist-keys.ts'
import { endOfUser } from '../accounts/end-of-user.ts'
import { AuthError } from '../errors.ts'
import type { Caller } from '../ports/caller.ts'
import type { Denial, Denylist } from '../ports/denials.ts'
import type { LogEntry } from '../ports/log.ts'
import type { EndedBatch } from '../ports/session-ends.ts'
import type { Sessions } from '../ports/sessions.ts'

/** The session at hand, all others of its user, or both. */
export type LogoutScope = 'this' | 'others' | 'all'

export interface EndSessionDeps {
  sessions: Sessions
  denylist: Denylist
  now: () => EpochSeconds
  /** By which denials outlive their tokens. */
  leewaySeconds: number
  refreshTtlSeconds: number
}

/** Whose session is meant, as a verified token of either kind says it. */
export interface Ending {
  claims: AccessClaims | RefreshClaims
  caller: Caller
  /** For the log entry: how it came to this, where that is not plain. */
  message?: string
}

/** Ends the session of verified claims. Rejects with `token_denied` (already over) or `unavailable`. */
export async function endSession(deps: EndSessionDeps, ending: Ending): Promise<void> {
  const { claims } = ending
  const session = { id: claims.sid, expiresAt: endOf(deps, claims) }
  await deny(deps, session, async () => {
    const ended = { ...session, userId: claims.sub, reason: 'logout' } as const
    const denial = await deps.sessions.end(ended, logoutEntry(ending))
    return denial && [denial]
  })
}

/**
 * Ends that session and every other one of the same user; see `endOfUser` for those that begin meanwhile. Rejects with
 * `token_denied`, and ends nothing, when that session is over already; or with `unavailable`: then that session goes
 * on unless all are over, so that the same can be asked with it again.
 */
export async function endAllSessions(deps: EndSessionDeps, ending: Ending): Promise<void> {
  const { claims } = ending
  const session = { id: claims.sid, expiresAt: endOf(deps, claims) }
  const entry = { ...logoutEntry(ending), message: 'all devices' }
  const asked = async () => await deps.sessions.endAll(session, entry)
  // It was on when this began. Where another caller has ended it since, what it was asked for is done all the same.
  const rest = async () => await deps.sessions.endOfUser({ userId: claims.sub, reason: 'logout_all' })

  let isLast = await denyBatch(deps, session, asked)
  while (!isLast) {
    ending.caller.noteProgress()
    isLast = await denyBatch(deps, session, async () => (await asked()) ?? (await rest()))
  }
}

/** Resolves to whether that was all. */
async function denyBatch(
  deps: EndSessionDeps,
  session: { id: DeniedId; expiresAt: EpochSeconds },
  end: () => Promise<EndedBatch | null>,
): Promise<boolean> {
  let isLast = true
  await deny(deps, session, async () => {
    const batch = await end()
    isLast = batch?.isLast ?? true
    return batch && batch.denials
  })
  return isLast
}

/**
 * Ends every session of the same user but that one, which goes on. Rejects with `token_denied`, and ends nothing, when
 * that one is over already; or with `unavailable`: then the same can be asked again.
 */
export async function endOtherSessions(deps: EndSessionDeps, ending: Ending): Promise<void> {
  const { sub: userId, sid: keepSessionId } = ending.claims
  const entry = { ...logoutEntry(ending), message: 'other devices' }
  const first = await deps.sessions.endOthers(keepSessionId, entry)
  if (!first) throw new AuthError('token_denied')

  await deps.denylist.deny(first.denials)
  if (first.isLast) return
  const rest = { userId, reason: 'logout_all', keepSessionId } as const
  await endOfUser({ sessions: deps.sessions, tell: deps.denylist.deny, caller: ending.caller }, rest)
}

/** Rejects as the end of each scope does. */
export async function endScope(deps: EndSessionDeps, scope: LogoutScope, ending: Ending): Promise<void> {
  switch (scope) {
    case 'this':
      await endSession(deps, ending)
      return
    case 'others':
      await endOtherSessions(deps, ending)
      return
    case 'all':
      await endAllSessions(deps, ending)
  }
}

/**
 * Journal before denylist: Redis may forget, Postgres may not. `journal` resolves to what it denied,
 * or to `null` when there was nothing left to deny: then this rejects with `token_denied`.
 */
export async function deny(
  deps: Omit<EndSessionDeps, 'sessions' | 'refreshTtlSeconds'>,
  { id, expiresAt }: { id: DeniedId; expiresAt: EpochSeconds },
  journal: () => Promise<Denial[] | null>,
): Promise<void> {
  const denials = await journal().catch(async (error: unknown) => {
    // Not durable, so not a logout; but whoever asked wants the token dead, and Redis may still hear it.
    await deps.denylist.tell([{ id, ttlMs: (expiresAt + deps.leewaySeconds - deps.now()) * 1000 }])
    throw error
  })
  if (!denials) throw new AuthError('token_denied')

  await deps.denylist.deny(denials)
}

/** When the last token of the session expires, as far as the one at hand can tell. */
function endOf(
  { now, refreshTtlSeconds }: EndSessionDeps,
  claims: AccessClaims | RefreshClaims,
): EpochSeconds {
  if (claims.token_type === 'refresh') return claims.exp
  // The clock that issued it may be ahead of this one.
  return Math.max(now(), claims.iat) + refreshTtlSeconds
}

function logoutEntry({ claims, caller, message }: Ending): LogEntry {
  const entry: LogEntry = { type: 'USER_LOGOUT', caller, userId: claims.sub, sessionId: claims.sid }
  return message === undefined ? entry : { ...entry, message }
}
