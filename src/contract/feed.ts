// The feed of denials, as server-sent events: what the service sends and a replica reads.
import type { EpochSeconds } from './claims.ts'
import type { DeniedId } from './denylist-keys.ts'

export const FEED_PATH = '/denylist/feed'

/** Data of `open`, the first event. */
export interface FeedOpen {
  /** When the request arrived, in milliseconds by the clock of the instance that answers; `as_of` goes by the same. */
  now: number
  /** Seconds for which a replica may go by what it knows. */
  lease: number
  /** Seconds of a token's age for which the feed has all denials; it cannot answer for an older one. */
  covers: number
}

/** Data of `deny`; that of `snapshot` is a list of them. */
export interface FeedDenial {
  id: DeniedId
  /** No token that it covers is accepted after that. */
  until: EpochSeconds
}

/** Data of `sync`, whose id is where to resume. */
export interface FeedSync {
  /** All that was acknowledged before then has been sent before this event. In milliseconds, see `FeedOpen`. */
  as_of: number
}
