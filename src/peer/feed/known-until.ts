// Up to which moment a replica knows all that was revoked; by its own clocks, whatever those of others show.
import type { FeedOpen, FeedSync } from '../../contract/feed.ts'
import { secondsBetween, type Moment } from '../two-clocks.ts'

export interface KnownUntil {
  /** A connection that was asked for at `askedAt` has opened. */
  open: (askedAt: Moment, open: FeedOpen) => void
  /** Never takes it back. Throws an `Error` before the first `open`, and where clocks stood still. */
  sync: (sync: FeedSync) => void
  /** Nothing is known any more, until the next `sync`. */
  lose: () => void
  /** Seconds since that moment; `null` when there is none. */
  ageSeconds: () => number | null
  isKnown: () => boolean
  /** Whether so long ago that what was revoked since may have been forgotten by everybody. */
  isBeyondCover: () => boolean
  /** Seconds of a token's age that are answered for; `null` when nothing is known. */
  readonly coversSeconds: number | null
  /** Seconds for which a denial that comes in now matters, at the most: no token of its session is accepted later. */
  readonly mattersSeconds: number
}

/** The lease and cover that the connection it came over named go with it. */
interface Reached extends Moment {
  open: FeedOpen
}

/** More than any two clocks differ by after the ten minutes that a connection lasts. */
const STOOD_STILL_MS = 2_000

export function knownUntil(now: () => Moment): KnownUntil {
  let connection: { askedAt: Moment; open: FeedOpen } | null = null
  let reached: Reached | null = null

  function ageSeconds(): number | null {
    return reached && secondsBetween(reached, now())
  }

  function isWithin(seconds: number | undefined): boolean {
    const age = ageSeconds()
    return age !== null && seconds !== undefined && age <= seconds
  }

  /**
   * A machine that is suspended from outside has no clock that goes on. Where more time has passed for the other
   * side than for both of ours, all that was measured by them is older than it looks.
   */
  function refuseToStandStill(told: Moment, current: Moment): void {
    const stoodStillMs = Math.min(told.monotonicMs - current.monotonicMs, told.epochMs - current.epochMs)
    if (stoodStillMs <= STOOD_STILL_MS) return
    if (reached) reached = { ...later(reached, -stoodStillMs), open: reached.open }
    throw new Error(`the clocks of this machine stood still for ${Math.round(stoodStillMs / 1000)} s`)
  }

  return {
    open(askedAt, open) {
      connection = { askedAt, open }
    },

    sync({ as_of: asOf }) {
      if (!connection) throw new Error('the feed sent a sync before it opened')
      const { askedAt, open } = connection
      // The request was on its way when it was asked for: `open.now` was not before `askedAt`.
      const elapsedMs = asOf - open.now
      const current = now()
      const told = later(askedAt, elapsedMs)
      refuseToStandStill(told, current)
      // Nobody knows what is yet to come, whatever the other side says.
      const next = {
        monotonicMs: Math.min(told.monotonicMs, current.monotonicMs),
        epochMs: Math.min(told.epochMs, current.epochMs),
        open,
      }
      if (!reached || next.monotonicMs >= reached.monotonicMs) reached = next
    },

    lose() {
      reached = null
    },

    ageSeconds,
    isKnown: () => isWithin(reached?.open.lease),
    isBeyondCover: () => reached !== null && !isWithin(reached.open.covers),

    get coversSeconds() {
      return reached?.open.covers ?? null
    },

    get mattersSeconds() {
      // Tokens may be issued for one lease after it.
      return connection ? connection.open.covers + connection.open.lease : 0
    },
  }
}

function later({ monotonicMs, epochMs }: Moment, ms: number): Moment {
  return { monotonicMs: monotonicMs + ms, epochMs: epochMs + ms }
}
