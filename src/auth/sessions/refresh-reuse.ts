// Judges a refresh token by the row of its session: it is the current one, the one before, or one that was used up.
import type { RefreshClaims } from '../../contract/claims.ts'
import { AuthError } from '../errors.ts'
import type { Caller } from '../ports/caller.ts'
import { NO_TOKEN, type Denylist } from '../ports/denials.ts'
import type { LogEntry } from '../ports/log.ts'
import type { LiveSession, Sessions } from '../ports/sessions.ts'
import { requireWaiting } from '../require-waiting.ts'

export interface ReuseDeps {
  sessions: Sessions
  denylist: Denylist
  /** How long the previous refresh token gets the answer that its first use got. */
  rotationGraceSeconds: number
}

/** How a refresh token stands to the row of its session; `late` is one that may get its successor once more. */
export type Standing = 'current' | 'in_grace' | 'late' | 'reused'

/** A session has one late replay in that time: whoever lives on them is found at the second one. */
const LATE_REPLAY_PAUSE_SECONDS = 86_400
/** Callers who come late within that time are one replay, also where there is no grace. */
const ONE_REPLAY_MS = 2000

/** By generation; when a token was issued says nothing. */
export function standingOf(session: LiveSession, generation: number, graceMs: number): Standing {
  // A newer one than the row's proves a rotation that the store has lost: nothing can have replaced it since.
  if (generation >= session.generation) return 'current'
  const { sinceRotationMs, sinceLateReplayMs, isPresented } = session
  if (generation < session.generation - 1 || sinceRotationMs === null) return 'reused'

  if (sinceRotationMs <= graceMs) return 'in_grace'
  if (sinceLateReplayMs === null) return isPresented ? 'reused' : 'late'
  const isOfThisGeneration = sinceLateReplayMs <= sinceRotationMs
  if (isOfThisGeneration && sinceLateReplayMs <= Math.max(graceMs, ONE_REPLAY_MS)) return 'in_grace'
  const isPauseOver = sinceLateReplayMs >= LATE_REPLAY_PAUSE_SECONDS * 1000
  return isPauseOver && !isPresented ? 'late' : 'reused'
}

/** A refresh token that somebody wants to use. */
export interface Presented {
  claims: RefreshClaims
  caller: Caller
}

export interface Judgement {
  session: LiveSession
  standing: Standing
}

/**
 * Reads the row, which notes that the token was presented, and ends nothing. Rejects with `token_denied` when the
 * session is over, or with `unavailable`.
 */
export async function judge(deps: ReuseDeps, claims: RefreshClaims): Promise<Judgement> {
  const generation = generationOf(claims)
  const { sid: sessionId } = claims
  // The login itself has handed out the first generation: there is nothing to note.
  const read =
    generation > 0 ? deps.sessions.present({ sessionId, generation }) : deps.sessions.find(sessionId)
  const session = await unlessDenied(deps.denylist, claims, read)
  if (!session) throw new AuthError('token_denied')
  return { session, standing: standingOf(session, generation, deps.rotationGraceSeconds * 1000) }
}

/**
 * Resolves to the session of a refresh token that is read and not used up: any that a refresh would take. Rejects with
 * `token_denied` for one that was used up, and leaves its session alone: only a refresh finds a reuse.
 */
export async function readableSession(deps: ReuseDeps, claims: RefreshClaims): Promise<LiveSession> {
  const { session, standing } = await judge(deps, claims)
  if (standing === 'reused') throw new AuthError('token_denied')
  return session
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
 * Resolves to the session of a refresh token that is used: the current one, the one before within the grace, or that
 * one late and once more, if nobody presented its successor. Any other ends its session: either its owner or a thief
 * holds the successor. Nothing ends, and nothing is replayed late, for a caller who is gone. Rejects with
 * `token_denied` or `unavailable`.
 */
export async function sessionOf(deps: ReuseDeps, presented: Presented): Promise<LiveSession> {
  const session = await settled(deps, presented)
  if (session) return session
  // Of two who come late at once, one finds the row changed: usually it says by now that both are the same replay.
  const again = await judge(deps, presented.claims)
  if (again.standing === 'in_grace') return again.session
  // This caller was in time. A caller that asks again is judged afresh.
  throw new AuthError('unavailable')
}

/** Resolves to `null` where the row has changed since it was read. */
async function settled(deps: ReuseDeps, presented: Presented): Promise<LiveSession | null> {
  const { session, standing } = await judge(deps, presented.claims)
  switch (standing) {
    case 'current':
    case 'in_grace':
      return session
    case 'late':
      // To a caller who is gone it would be lost, and with it the one late replay that the session has.
      requireWaiting(presented.caller)
      return await replayLate(deps, presented, session)
    case 'reused':
      // The request of a client that gave up, and went on elsewhere, may look like a theft.
      requireWaiting(presented.caller)
      await endReused(deps, presented, session)
      throw new AuthError('token_denied')
  }
}

async function replayLate(
  { sessions }: ReuseDeps,
  presented: Presented,
  session: LiveSession,
): Promise<LiveSession | null> {
  const { claims } = presented
  return await sessions.replayLate(
    { sessionId: claims.sid, generation: generationOf(claims), pauseSeconds: LATE_REPLAY_PAUSE_SECONDS },
    { type: 'REFRESH_LATE_REPLAY', ...described(presented, session) },
  )
}

async function endReused(
  { sessions, denylist }: ReuseDeps,
  presented: Presented,
  session: LiveSession,
): Promise<void> {
  const { sid, sub } = presented.claims
  const denial = await sessions.end(
    { id: sid, userId: sub, reason: 'refresh_reuse', expiresAt: session.expiresAt },
    { type: 'REFRESH_REUSE', ...described(presented, session) },
  )
  if (denial) await denylist.deny([denial])
}

/** The fields that the log entries of a presented token have in common. */
function described({ claims, caller }: Presented, session: LiveSession): Omit<LogEntry, 'type'> {
  const message = `generation ${generationOf(claims)}, current ${session.generation}`
  return { caller, userId: claims.sub, sessionId: claims.sid, message }
}

/** A token without a generation, met by a session that rotates, is its first. */
export function generationOf(claims: RefreshClaims): number {
  return claims.gen ?? 0
}
