// Trades a refresh token for its successor: once, however often and from wherever it is asked.
import type { RefreshClaims } from '../../contract/claims.ts'
import { AuthError } from '../errors.ts'
import { generationOf, sessionOf, unlessDenied, type ReuseDeps, type Presented } from './refresh-reuse.ts'
import type { LiveSession } from '../ports/sessions.ts'
import type { SignedRefresh, Tokens } from '../ports/tokens.ts'

export interface RotateDeps extends ReuseDeps {
  tokens: Tokens
  /** Milliseconds since 1970. */
  nowMs: () => number
  refreshTtlSeconds: number
  sessionMaxAgeSeconds: number
}

export interface Successor {
  refresh: SignedRefresh
  /** As its row is now. */
  session: LiveSession
}

/**
 * Resolves to the next refresh token, and the row that it was made from; within the grace, and once more if that was lost, the previous token gets the
 * same one again, byte for byte. Rejects with `token_denied` (over, or used twice, which ends the session) or `unavailable`.
 */
export async function rotate(deps: RotateDeps, presented: Presented): Promise<Successor> {
  const { claims } = presented
  const generation = generationOf(claims)
  const rotatedAtMs = deps.nowMs()
  const rotation = deps.sessions.rotate({
    sessionId: claims.sid,
    generation,
    refreshJti: deps.tokens.successorJti(claims.sid, generation + 1),
    rotatedAtMs,
    expiresAt: Math.floor(rotatedAtMs / 1000) + deps.refreshTtlSeconds,
    maxAgeSeconds: deps.sessionMaxAgeSeconds,
    // Without a generation of its own, it would be good again if rotation were switched off.
    ...(claims.gen === undefined && { retired: { jti: claims.jti, expiresAt: claims.exp } }),
  })
  const rotated = await unlessDenied(deps.denylist, claims, rotation)
  if (rotated) {
    await deps.denylist.deny(rotated.denials)
    return successor(deps.tokens, claims, rotated.session)
  }

  const session = await sessionOf(deps, presented)
  // It was beyond this generation a moment ago, and generations only grow.
  if (session.generation <= generation) throw new AuthError('unavailable')
  return successor(deps.tokens, claims, session)
}

function successor(tokens: Tokens, claims: RefreshClaims, session: LiveSession): Successor {
  const { generation, rotatedAtMs, expiresAt, role: scope } = session
  const grant = { sid: claims.sid, userId: claims.sub, scope, persistent: claims.persistent }
  const issuedAt = Math.floor((rotatedAtMs ?? 0) / 1000)
  return { refresh: tokens.signSuccessor(grant, { generation, issuedAt, expiresAt }), session }
}
