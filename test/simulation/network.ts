// The network between two ends: how long a message takes, and which ones are lost.
import type { Random } from '../fault/random.ts'
import type { VirtualTime } from './virtual-time.ts'

/** One direction of what a process says to a store, or the store to it. */
export interface Link {
  /** When a message that is sent now arrives; `null` for one that never does. */
  arrivalMs: () => number | null
  /** Nothing passes. */
  isCut: boolean
  /** On top of what each message takes anyway. */
  slowMs: number
  /** Of every message. */
  lossShare: number
}

const LEAST_MS = 0.1
const MOST_MS = 1.2
/** Now and then a packet is sent again, or a machine is busy. */
const SLOW_SHARE = 0.01
const SLOW_MS = 40

function link(time: VirtualTime, random: Random): Link {
  let lastArrivalMs = 0
  const made: Link = {
    isCut: false,
    slowMs: 0,
    lossShare: 0,
    arrivalMs: () => {
      if (made.isCut || (made.lossShare > 0 && random.chance(made.lossShare))) return null
      const tookMs =
        LEAST_MS + random.next() * MOST_MS + (random.chance(SLOW_SHARE) ? random.next() * SLOW_MS : 0)
      const slowMs = made.slowMs > 0 ? made.slowMs * (0.5 + random.next()) : 0
      // One stream of bytes: nothing overtakes what was sent before.
      lastArrivalMs = Math.max(lastArrivalMs, time.nowMs + tookMs + slowMs)
      return lastArrivalMs
    },
  }
  return made
}

/** Both directions between a process and a store. */
export interface Route {
  there: Link
  back: Link
}

export function route(time: VirtualTime, random: Random): Route {
  return { there: link(time, random), back: link(time, random) }
}
