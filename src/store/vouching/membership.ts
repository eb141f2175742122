// Whether this instance is one of those that are asked before Redis is believed without Postgres.
import type { JournalTime } from '../../contract/denylist-keys.ts'

export interface Membership {
  /** It has registered in Postgres just now; `nowMs`, by Postgres's clock, was read before that. */
  seen(nowMs: JournalTime): void
  /** The journal is in every part of Redis up to there. */
  inLine(relayedUpTo: JournalTime): void
}

/** Others count those that were seen in the last ten seconds. */
const SEEN_FOR_MS = 8000

/**
 * The one that sets a watermark has read first who is there: so this instance is known once there is one from after it
 * had registered, for as long as it goes on doing so. `onKnown` hears until when, by `now`, it is.
 */
export function membership(
  onKnown: (until: number) => void,
  now: () => number = () => performance.now(),
): Membership {
  let seenAt = -Infinity
  /** By Postgres's clock, when it had registered for sure. */
  let registeredAt: JournalTime = Infinity
  let isMember = false

  return {
    seen: (nowMs) => {
      const isBroken = now() - seenAt > SEEN_FOR_MS
      seenAt = now()
      registeredAt = isBroken ? Infinity : Math.min(registeredAt, nowMs)
      isMember &&= !isBroken
      if (isMember) onKnown(seenAt + SEEN_FOR_MS)
    },
    inLine: (relayedUpTo) => {
      isMember ||= relayedUpTo > registeredAt
      if (isMember) onKnown(seenAt + SEEN_FOR_MS)
    },
  }
}
