// Ends one of the user's sessions, from another one or from itself.
import { validate as isUuid } from 'uuid'
import type { AccessClaims } from '../../contract/claims.ts'
import { AuthError } from '../errors.ts'
import type { Denylist } from '../ports/denials.ts'
import type { CallerAddress } from '../ports/log.ts'
import type { Sessions } from '../ports/sessions.ts'

export interface RevokeSessionDeps {
  sessions: Sessions
  denylist: Denylist
}

export interface RevokeSessionInput {
  /** Of the session that asks. */
  claims: AccessClaims
  /** Of the session that is to end; any text. */
  sessionId: string
  caller: CallerAddress
}

/**
 * Resolves once the end is durable. Rejects with `session_not_found`, alike for one that is over, that
 * never was, or that is another user's; or with `unavailable`.
 */
export async function revokeSession(
  { sessions, denylist }: RevokeSessionDeps,
  { claims, sessionId, caller }: RevokeSessionInput,
): Promise<void> {
  if (!isUuid(sessionId)) throw new AuthError('session_not_found')

  const session = { id: sessionId.toLowerCase(), userId: claims.sub }
  const denial = await sessions.revoke(session, {
    type: 'SESSION_REVOKED',
    caller,
    userId: session.userId,
    sessionId: session.id,
    message: session.id === claims.sid ? 'from itself' : `from session ${claims.sid}`,
  })
  if (!denial) throw new AuthError('session_not_found')

  await denylist.deny([denial])
}
