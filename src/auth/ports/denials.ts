// The two places that say which tokens are refused: the journal, which is durable, and the denylist, which is cheap to ask.
import type { EpochSeconds } from '../../contract/claims.ts'
import type { DeniedId, JournalTime } from '../../contract/denylist-keys.ts'
import type { FeedDenial } from '../../contract/feed.ts'
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
  /** The denial of a whole session, or of a foreign token, as long as it lasts. Rejects with `unavailable`. */
  denialOf(id: DeniedId): Promise<Denial | null>
  /**
   * The denials of the sessions that a user has had, in the order of their ids: the next `limit` ones after `after`. Rejects
   * with `unavailable`.
   */
  denialsOfUser(query: { userId: string; after: DeniedId | null; limit: number }): Promise<Denial[]>
  /**
   * Denies a foreign token, with its log entry, in one statement; `null` when it was denied already,
   * for as long or longer: of several callers one wins. Rejects with `unavailable`.
   */
  deny(token: { id: DeniedId; expiresAt: EpochSeconds }, entry: LogEntry): Promise<Denial | null>
}

/** The ids under which a token can be denied. */
export interface TokenIds {
  sid: string
  jti: string
}

/** Asked for as a `jti`, it asks for the session alone: no token is called so. */
export const NO_TOKEN = 'none'

/** The denylist: the same facts, where asking is cheap. */
export interface Denylist {
  /** Never rejects: what cannot be known, for whatever reason, is `unknown`. */
  check: (ids: TokenIds) => Promise<'live' | 'denied' | 'unknown'>
  /**
   * The journal has it already. Where the write fails, this instance answers `unknown` until the denylist has
   * been made to agree with the journal again. Rejects with `unavailable` where that is not enough for others:
   * then it must not be acknowledged, though it holds here.
   */
  deny: (denials: Denial[]) => Promise<void>
  /** For denials that nobody is promised by this: tries to write them. Never rejects. */
  tell: (denials: Denial[]) => Promise<void>
}

/** The denials of access tokens in the order in which this instance came to know them, for replicas. */
export interface DenialFeed {
  /** Whether a replica of it may be believed. */
  readonly isKnown: boolean
  /** All that was acknowledged before then is in it. By the steady clock. */
  readonly asOf: number
  /** Where a reader that has all of it resumes, at whichever instance. Printable. */
  readonly resumeId: string
  /** From when on a reader with that id lacks what was journaled; `null` where it lacks everything. */
  resumeFrom: (id: string) => JournalTime | null
  readonly leaseSeconds: number
  /** Seconds of a token's age for which it has every denial. */
  readonly coversSeconds: number
  /** The number of the first denial that it still holds, and of the one that comes next. */
  readonly begin: number
  readonly end: number
  /** From `begin` up to `end`. */
  at: (index: number) => FedDenial
  /** Told whenever there is more, or `asOf` has moved. */
  onNews: (listener: () => void) => void
}

export interface FedDenial extends FeedDenial {
  /** When it was journaled; `Infinity` where that is not known yet. */
  createdAtMs: JournalTime
}
