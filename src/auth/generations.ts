// What the row of a rotating session says of a refresh token: the current one, one just replaced, or one used twice.
import type { RefreshClaims } from '../contract/claims.ts'
import { AuthError } from './errors.ts'
import { NO_TOKEN, type Denylist } from './ports/denials.ts'
import type { Origin } from './ports/log.ts'
import type { LiveSession, Sessions } from './ports/sessions.ts'

export interface GenerationDeps {
  sessions: Sessions
  denylist: Denylist
  /** How long the previous refresh token gets the answer that its first use got. */
  rotationGraceSeconds: number
}

export type Standing = 'current' | 'in_grace' | 'reused'

/** By generation; when a token was issued says nothing. */
export function standingOf(session: LiveSession, generation: number, graceMs: number): Standing {
  // A newer one than the row's proves a rotation that the store has lost: nothing can have replaced it since.
  if (generation >= session.generation) return 'current'
  const isPrevious = generation === session.generation - 1
  const isYoung = session.sinceRotationMs !== null && session.sinceRotationMs <= graceMs
  return isPrevious && isYoung ? 'in_grace' : 'reused'
}

export interface Judgement {
  session: LiveSession
  standing: Standing
}

/** Reads the row and changes nothing. Rejects with `token_denied` when the session is over, or with `unavailable`. */
export async function judge(deps: GenerationDeps, claims: RefreshClaims): Promise<Judgement> {
  const session = await unlessDenied(deps.denylist, claims, deps.sessions.find(claims.sid))
  if (!session) throw new AuthError('token_denied')
  const standing = standingOf(session, generationOf(claims), deps.rotationGraceSeconds * 1000)
  return { session, standing }
}

/**
 * Resolves to what the row says, unless the denylist denies the session: it may know of an end that the database
 * has lost. It is asked while the row is, and where it cannot tell, the row has the last word. Rejects with
 * `token_denied`, or as the row does.
 */
export async function unlessDenied<Row>(
  denylist: Denylist,
  { sid, jti, gen }: RefreshClaims,
  row: Promise<Row>,
): Promise<Row> {
  // Until it is waited for, its failure is nobody's.
  row.catch(() => undefined)
  // One without a generation is denied by its own id once it is replaced: what its row says of it counts then.
  const answer = await denylist.check({ sid, jti: gen === undefined ? NO_TOKEN : jti })
  if (answer === 'denied') throw new AuthError('token_denied')
  return await row
}

/**
 * Resolves to the session of a refresh token that is the current one, or was until just now. A token
 * that was used up ends its session: either its owner or a thief holds the successor. Rejects with
 * `token_denied` or `unavailable`.
 */
export async function sessionOf(
  deps: GenerationDeps,
  { claims, origin }: { claims: RefreshClaims; origin: Origin },
): Promise<LiveSession> {
  const { session, standing } = await judge(deps, claims)
  switch (standing) {
    case 'current':
    case 'in_grace':
      return session
    case 'reused':
      await endReused(deps, { claims, session, origin })
      throw new AuthError('token_denied')
  }
}

async function endReused(
  { sessions, denylist }: GenerationDeps,
  { claims, session, origin }: { claims: RefreshClaims; session: LiveSession; origin: Origin },
): Promise<void> {
  const { sid, sub } = claims
  const denial = await sessions.end(
    { id: sid, userId: sub, reason: 'refresh_reuse', expiresAt: session.expiresAt },
    {
      type: 'REFRESH_REUSE',
      origin,
      userId: sub,
      sessionId: sid,
      message: `generation ${generationOf(claims)}, current ${session.generation}`,
    },
  )
  if (denial) await denylist.deny([denial])
}

/** A token without a generation, met by a session that rotates, is its first. */
export function generationOf(claims: RefreshClaims): number {
  return claims.gen ?? 0
}
