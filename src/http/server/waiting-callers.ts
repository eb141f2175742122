// Knows whether the caller of a request still waits: its connection is open, and the process has not stood still since.
import type { IncomingMessage } from 'node:http'
import { every, type Clock } from '../../clock.ts'
import type { SystemLog } from '../../ops/log.ts'

/** Nobody who is gone should cause what cannot be undone: a client that gave up has gone on elsewhere meanwhile. */
export interface WaitingCallers {
  /** Notes when a request was read. */
  arrived(request: IncomingMessage): void
  /** Whether its caller waits, as far as can be told from here; to be asked right before what cannot be undone. */
  isWaiting(request: IncomingMessage): boolean
  /** Whether a hash may begin for it: its caller waits, and it was read a short while ago. */
  isInTime(request: IncomingMessage): boolean
  /** Notes that the work for the request has come a step further. */
  noteProgress(request: IncomingMessage): void
  /** When it did last, by the steady clock; `-Infinity` where it never did. */
  progressedAtMs(request: IncomingMessage): number
  /** Notes that the caller has its answer, though the work goes on. */
  dismiss(request: IncomingMessage): void
  close(): void
}

const LOOK_EVERY_MS = 500
/** A longer gap between two looks is a standstill: a process that was stopped, or a machine that slept. */
const STANDSTILL_MS = 3000
/** A request that was sent during a standstill, and lay in its socket, is read within that time after it. */
const CATCHING_UP_MS = 2500
/** The rest of the deadline of a request is for the hash itself, and for what comes after it. */
const IN_TIME_MS = 1500

export function waitingCallers(clock: Clock, log: SystemLog): WaitingCallers {
  const arrivals = new WeakMap<IncomingMessage, number>()
  const progress = new WeakMap<IncomingMessage, number>()
  let seen = { steadyMs: clock.steadyMs(), epochMs: clock.epochMs() }
  let caughtUpAtMs = -Infinity
  const stop = every(clock, LOOK_EVERY_MS, look)

  return {
    arrived: (request) => {
      arrivals.set(request, clock.steadyMs())
    },

    isWaiting,

    isInTime: (request) => isWaiting(request) && clock.steadyMs() - arrivedAtMs(request) <= IN_TIME_MS,

    noteProgress: (request) => {
      progress.set(request, clock.steadyMs())
    },

    progressedAtMs: (request) => progress.get(request) ?? -Infinity,

    dismiss: (request) => {
      arrivals.delete(request)
    },

    close: stop,
  }

  function isWaiting(request: IncomingMessage): boolean {
    // After a standstill, what was in the sockets is read before any timer fires.
    look()
    const { socket } = request
    const isConnected = !socket.destroyed && socket.writable && !socket.readableEnded
    return isConnected && arrivedAtMs(request) >= caughtUpAtMs
  }

  /** Before and after nothing where it has not arrived, or is dismissed. */
  function arrivedAtMs(request: IncomingMessage): number {
    return arrivals.get(request) ?? NaN
  }

  function look(): void {
    const now = { steadyMs: clock.steadyMs(), epochMs: clock.epochMs() }
    // The steady clock may stand still while the machine sleeps, the other one does not.
    const gapMs = Math.max(now.steadyMs - seen.steadyMs, now.epochMs - seen.epochMs)
    seen = now
    if (gapMs <= STANDSTILL_MS) return
    caughtUpAtMs = now.steadyMs + CATCHING_UP_MS
    log.warn(
      { seconds: Math.round(gapMs / 1000) },
      'the process stood still; what was sent meanwhile ends nothing',
    )
  }
}
