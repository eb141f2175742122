// Begins a session of an account, and signs its first pair.
import { v7 as uuidv7 } from 'uuid'
import type { Account } from '../ports/accounts.ts'
import type { Denylist } from '../ports/denials.ts'
import type { CallerAddress } from '../ports/log.ts'
import type { Sessions } from '../ports/sessions.ts'
import type { Grant, SignedAccess, SignedRefresh, Tokens } from '../ports/tokens.ts'

export interface BeginSessionDeps {
  sessions: Sessions
  tokens: Tokens
  denylist: Denylist
  /** The oldest sessions of a user beyond that end when another one begins. */
  maxSessionsPerUser: number
  /** A UUIDv7, each time another one. */
  newSessionId?: () => string
}

export interface BegunSession {
  user: Pick<Account, 'id' | 'username' | 'role'>
  sid: string
  access: SignedAccess
  refresh: SignedRefresh
}

export interface SessionStart {
  account: Account
  /** Replaces the stored hash, where that one has older parameters. */
  rehashed?: string
  /** Whether each refresh brings a new refresh token. */
  rotates: boolean
  /** Whether the cookie that will hold its refresh tokens is to outlive the browser. */
  isPersistent?: boolean
  caller: CallerAddress
}

/**
 * Resolves once the session is durable, and the oldest ones beyond the bound are over; to `null` when the account is no longer as it was read.
 * Rejects with `unavailable`.
 */
export async function beginSession(
  deps: BeginSessionDeps,
  { account, rehashed, rotates, isPersistent = false, caller }: SessionStart,
): Promise<BegunSession | null> {
  const { newSessionId = uuidv7 } = deps
  const { id: userId, role: scope, claims } = account
  const grant: Grant = { sid: newSessionId(), userId, scope, claims }
  const refresh = deps.tokens.signRefresh(isPersistent ? { ...grant, persistent: true } : grant, rotates)
  const surplus = await deps.sessions.begin(
    {
      id: grant.sid,
      account,
      ...(rehashed !== undefined && { rehashed }),
      refreshJti: refresh.jti,
      expiresAt: refresh.exp,
      maxSessions: deps.maxSessionsPerUser,
    },
    { type: 'USER_LOGIN', caller, userId: account.id, sessionId: grant.sid },
  )
  if (!surplus) return null
  if (surplus.length > 0) await deps.denylist.deny(surplus)

  const { id, username, role } = account
  const access = deps.tokens.signAccess(grant, refresh.exp)
  return { user: { id, username, role }, sid: grant.sid, access, refresh }
}
