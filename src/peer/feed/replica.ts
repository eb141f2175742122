// A copy of the denylist in the memory of the peer, with what it is good for at each moment.
import type { EpochSeconds } from '../../contract/claims.ts'
import type { FeedDenial, FeedOpen, FeedSync } from '../../contract/feed.ts'
import type { Denylist, SessionEndHandler, UnknownPolicy, Verdict, VerifiedToken } from '../denylist.ts'
import type { Moment } from '../two-clocks.ts'
import { sessionWatchers } from '../session-watchers.ts'
import { denialSet } from './denial-set.ts'
import { knownUntil } from './known-until.ts'

export interface Replica {
  open: (askedAt: Moment, open: FeedOpen) => void
  /** Throws `DenialSetFullError` when there is no room: it is unknown then until it is told everything anew. */
  add: (denials: FeedDenial[]) => void
  sync: (sync: FeedSync) => void
  check: (token: VerifiedToken) => Verdict
  /** The handler is called at once, but not from within, when the session is over already. */
  onSessionEnd: (sid: string, handler: SessionEndHandler) => () => void
  /** To be called a few times a second: forgets what is over, and tells handlers when nothing is known. */
  tick: () => void
  whenKnown: () => Promise<void>
  isKnown: () => boolean
  ageSeconds: () => number | null
  readonly size: number
}

export interface ReplicaDeps {
  moment: () => Moment
  /** By the same clock as tokens are judged. */
  now: () => EpochSeconds
  onUnknown: UnknownPolicy
  onError: (error: Error) => void
  maxDenials?: number
}

export function replica({ moment, now, onUnknown, onError, maxDenials }: ReplicaDeps): Replica {
  const denials = denialSet(maxDenials)
  const watchers = sessionWatchers(onError)
  const reached = knownUntil(moment)
  let resolveKnown: () => void = () => undefined
  const known = new Promise<void>((resolve) => {
    resolveKnown = resolve
  })

  function steadySeconds(): number {
    return moment().monotonicMs / 1000
  }

  /** By a clock that nobody sets: what one that was wrong for a while has dropped would not be told again. */
  function endOf(until: EpochSeconds): number {
    return steadySeconds() + Math.max(until - now(), reached.mattersSeconds)
  }

  return {
    open: reached.open,

    add(batch) {
      try {
        for (const { id, until } of batch) {
          denials.add({ id, endsAt: endOf(until) })
          watchers.end(id, 'token_denied')
        }
      } catch (error) {
        reached.lose()
        // Some of them may be among those there was no room for.
        watchers.endAll('denylist_unknown')
        throw error
      }
    },

    sync(sync) {
      // Denials that ended meanwhile may have left the feed already.
      if (reached.isBeyondCover()) watchers.endAll('denylist_unknown')
      reached.sync(sync)
      if (reached.isKnown()) resolveKnown()
    },

    check({ claims, tokenId }) {
      // A token that was denied stays so, known or not.
      if (denials.has(claims.sid) || denials.has(tokenId)) return 'denied'
      const { coversSeconds } = reached
      if (coversSeconds !== null && claims.iat + coversSeconds < now()) return 'too_old'
      return reached.isKnown() ? 'live' : 'unknown'
    },

    onSessionEnd(sid, handler) {
      const stop = watchers.add(sid, handler)
      if (denials.has(sid)) {
        queueMicrotask(() => {
          watchers.end(sid, 'token_denied')
        })
      }
      return stop
    },

    tick() {
      denials.prune(steadySeconds())
      const isRefused = onUnknown === 'deny' && !reached.isKnown()
      if (isRefused || reached.isBeyondCover()) watchers.endAll('denylist_unknown')
    },

    whenKnown: async () => {
      await known
    },
    isKnown: reached.isKnown,
    ageSeconds: reached.ageSeconds,
    get size() {
      return denials.size
    },
  }
}

/** The answers of a denylist, out of its replica; `lastError` tells what is wrong with the way to it at this moment. */
export function answersOf(own: Replica, lastError: () => Error | null): Omit<Denylist, 'close'> {
  return {
    check: own.check,
    onSessionEnd: own.onSessionEnd,
    whenKnown: own.whenKnown,
    freshness: () => ({
      isKnown: own.isKnown(),
      ageSeconds: own.ageSeconds(),
      denials: own.size,
      lastError: lastError(),
    }),
  }
}
