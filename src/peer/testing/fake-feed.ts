// The feed without its connection: what the service would send goes straight to the replicas of all verifiers.
import type { EpochSeconds } from '../../contract/claims.ts'
import type { FeedDenial, FeedOpen } from '../../contract/feed.ts'
import type { DenylistSource } from '../denylist.ts'
import { answersOf, replica, type Replica } from '../feed/replica.ts'
import type { Moment } from '../two-clocks.ts'

export interface FakeFeed {
  source: DenylistSource
  end: (sid: string) => void
  goUnknown: () => void
  comeBack: () => void
  /** After the clock was moved. */
  tick: () => void
}

export interface FakeFeedDeps {
  clock: () => EpochSeconds
  nowMs: () => number
}

/** As the service's by default: `covers` is the life of an access token and the leeway. */
const OPEN: FeedOpen = { now: 0, lease: 5, covers: 305 }

export function fakeFeed({ clock, nowMs }: FakeFeedDeps): FakeFeed {
  const replicas = new Set<Replica>()
  let denials: FeedDenial[] = []
  let isCutOff = false
  let sleptMs = 0

  const moment = (): Moment => ({ monotonicMs: nowMs() + sleptMs, epochMs: nowMs() })

  /** As a connection does that has just opened. */
  function catchUp(one: Replica): void {
    one.open(moment(), OPEN)
    one.add(denials)
    one.sync({ as_of: OPEN.now })
  }

  return {
    source(context) {
      const own = replica({ ...context, moment })
      replicas.add(own)
      if (!isCutOff) catchUp(own)
      return {
        ...answersOf(own, () => (isCutOff ? new Error('the fake feed is cut off') : null)),
        close: async () => {
          replicas.delete(own)
          await Promise.resolve()
        },
      }
    },

    end(sid) {
      const denial = { id: sid, until: clock() + OPEN.covers }
      denials.push(denial)
      if (isCutOff) return
      for (const one of replicas) one.add([denial])
    },

    goUnknown() {
      isCutOff = true
      // The lease runs out, but no token does.
      sleptMs += (OPEN.lease + 1) * 1000
      for (const one of replicas) one.tick()
    },

    comeBack() {
      isCutOff = false
      for (const one of replicas) catchUp(one)
    },

    tick() {
      denials = denials.filter(({ until }) => until >= clock())
      for (const one of replicas) {
        if (!isCutOff) catchUp(one)
        one.tick()
      }
    },
  }
}
