// The sessions of users, from their beginning to their end.
import type { EpochSeconds, OwnClaims } from '../../contract/claims.ts'
import type { Account } from './accounts.ts'
import type { Denial } from './denials.ts'
import type { LogEntry } from './log.ts'
import type { EndedBatch, EndingOfUser, EndReason } from './session-ends.ts'

export interface NewSession {
  /** UUIDv7. */
  id: string
  account: Account
  /** Replaces the stored hash, where that one has older parameters. */
  rehashed?: string
  /** Of the refresh token; stored as SHA-256 only. */
  refreshJti: string
  expiresAt: EpochSeconds
  /** How many live sessions the user may have, this one included: the oldest ones beyond that end. */
  maxSessions: number
}

export interface Sessions {
  /**
   * Writes the session and its log entry, and ends the oldest ones beyond `maxSessions` with their journal rows, in
   * one statement; resolves to the denials of these. `null`, and nothing is written, when the account is no longer
   * as it was read: disabled, deleted, or its password or role changed in the meantime.
   */
  begin(session: NewSession, entry: LogEntry): Promise<Denial[] | null>
  /**
   * Ends the session, with its journal row and its log entry, in one statement; durable when it
   * resolves. `null` when it was over already, which is for the journal to say: of several callers one wins. A
   * session whose row is lost (to an older backup, say), or over without a denial, is denied all the same.
   */
  end(session: EndingSession, entry: LogEntry): Promise<Denial | null>
  /** Ends one session of that user; `null` when the user has no such live session. */
  revoke(session: { id: string; userId: string }, entry: LogEntry): Promise<Denial | null>
  /**
   * Ends a batch of the live sessions of the user of the asking one. That one itself ends with the last batch, and the
   * log entry is written then: until all others are over, the same can be asked with it again. `null`, and nothing
   * ends, when that one is over.
   */
  endAll(asking: Pick<EndingSession, 'id' | 'expiresAt'>, entry: LogEntry): Promise<EndedBatch | null>
  /**
   * As `endAll`, but the asking session goes on, and the entry is written with this batch; without others there is
   * nothing to end, and no entry.
   */
  endOthers(sessionId: string, entry: LogEntry): Promise<EndedBatch | null>
  /** Ends a batch of the user's live sessions, without an entry: of what they end for, that is told once. */
  endOfUser(ending: EndingOfUser): Promise<EndedBatch>
  /**
   * Takes a live session from that generation, or an earlier one, to the next; `null` when it is over or beyond
   * that generation already: of several callers one wins, and against a racing end none does. A session that is
   * at an earlier one has lost rotations, which the token proves.
   */
  rotate(rotation: Rotation): Promise<Rotated | null>
  /** `null` when there is no such session, or it is over. */
  find(sessionId: string): Promise<LiveSession | null>
  /**
   * The same for a refresh token that is read without being used up. In one statement, which writes once a
   * generation at the most, the row notes that this generation was presented, where that is the current one or one
   * which the row has lost.
   */
  present(read: { sessionId: string; generation: number }): Promise<LiveSession | null>
  /**
   * Notes a late replay, with its log entry, in one statement. `null`, and nothing is written, unless the session is
   * live, its current generation comes right after `generation` and was never presented, and the late replay before
   * is `pauseSeconds` ago or longer: of several callers one wins.
   */
  replayLate(replay: LateReplay, entry: LogEntry): Promise<LiveSession | null>
  /** The user's live sessions, the newest first: those before the session `before`, if it is given. */
  list(query: { userId: string; before: string | null; limit: number }): Promise<SessionSummary[]>
}

export interface EndingSession {
  id: string
  userId: string
  reason: EndReason
  /** When its last token expires, as far as the token at hand tells; the row may know of a later one. */
  expiresAt: EpochSeconds
}

export interface Rotation {
  sessionId: string
  /** Of the token at hand. */
  generation: number
  /** Of the next refresh token; stored as SHA-256 only. */
  refreshJti: string
  /** When the next refresh token is issued, in milliseconds since 1970. */
  rotatedAtMs: number
  /** When it expires, unless the session has reached its greatest age by then. A session never gets shorter. */
  expiresAt: EpochSeconds
  maxAgeSeconds: number
  /** A refresh token without a generation that this rotation uses up: it is denied from now on. */
  retired?: { jti: string; expiresAt: EpochSeconds }
}

export interface LateReplay {
  sessionId: string
  /** Of the token at hand, which is the one before the current one. */
  generation: number
  pauseSeconds: number
}

export interface Rotated {
  session: LiveSession
  /** Of the retired token; empty where there was none. */
  denials: Denial[]
}

/** The row of a session that is on says this. */
export interface LiveSession {
  generation: number
  /** When the current generation began, in milliseconds since 1970; `null` at generation 0. */
  rotatedAtMs: number | null
  /** How long ago that was, by the store's clock, which all instances share; `null` at generation 0. */
  sinceRotationMs: number | null
  /** Whether a token of the current generation was ever presented; of generation 0 that is taken for granted. */
  isPresented: boolean
  /** How long ago the last late replay was, by the same clock; `null` where there was none. */
  sinceLateReplayMs: number | null
  createdAt: EpochSeconds
  expiresAt: EpochSeconds
  /** Of its user, as it is now. */
  role: string
  /** Of its user, as they are now. */
  claims: OwnClaims
}

export interface SessionSummary {
  id: string
  ipAddress: string
  userAgent: string | null
  createdAt: Date
  lastSeenAt: Date
  expiresAt: Date
}
