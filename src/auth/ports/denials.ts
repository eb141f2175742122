// What is refused: the journal, which is durable, and the denylist, which is cheap to ask.
import type { EpochSeconds } from '../../contract/claims.ts'
import type { DeniedId } from '../../contract/denylist-keys.ts'
import type { LogEntry } from './log.ts'

/** One id that is refused from now on, for `ttlMs` milliseconds: as long as a token of it can be alive. */
export interface Denial {
  id: string
  ttlMs: number
}

/** The journal: what was denied, durably. */
export interface Journal {
  /** Rejects with `unavailable`. */
  isDenied(ids: TokenIds): Promise<boolean>
  /** The denials of whole sessions, as long as they last. Rejects with `unavailable`. */
  denialsOf(subject: DenialSubject): Promise<Denial[]>
  /**
   * Denies a foreign token, with its log entry, in one statement; `null` when it was denied already,
   * for as long or longer: of several callers one wins. Rejects with `unavailable`.
   */
  deny(token: { id: DeniedId; expiresAt: EpochSeconds }, entry: LogEntry): Promise<Denial | null>
}

export interface DenialSubject {
  sessionId: string
  /** With this, every other session of that user is meant, too. */
  userId?: string
}

/** The ids under which a token can be denied. */
export interface TokenIds {
  sid: string
  jti: string
}

/** The denylist: the same facts, where asking is cheap. */
export interface Denylist {
  /** Never rejects: what cannot be known, for whatever reason, is `unknown`. */
  check(ids: TokenIds): Promise<'live' | 'denied' | 'unknown'>
  /**
   * The journal has it already. Where the write fails, this instance answers `unknown` until the denylist has
   * been made to agree with the journal again. Rejects with `unavailable` where that is not enough for others:
   * then it must not be acknowledged, though it holds here.
   */
  deny(denials: Denial[]): Promise<void>
  /** For denials that nobody is promised by this: tries to write them. Never rejects. */
  tell(denials: Denial[]): Promise<void>
}
