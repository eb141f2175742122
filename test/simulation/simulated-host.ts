// A process of the simulated world: its clocks, and what happens to it when it is killed, stopped, or its machine sleeps.
import type { Clock } from '../../src/clock.ts'
import type { VirtualTime } from './virtual-time.ts'

/** When the simulated world begins, in milliseconds since 1970. */
export const WORLD_BEGAN_AT = Date.UTC(2026, 0, 1)

export interface SimulatedHost {
  readonly name: string
  readonly clock: Clock
  readonly isAlive: boolean
  readonly isStopped: boolean
  /** Does that in the process: now, or all at once when it goes on. Never when it is dead by then. */
  deliver: (work: () => void) => void
  /** Nothing of it happens any more. */
  kill: () => void
  /** As by SIGSTOP; `isAsleep`: with its machine, whose steady clock stands still. */
  stop: (isAsleep: boolean) => void
  wake: () => void
  /** Somebody sets the clock of its machine. */
  setClock: (aheadMs: number) => void
  wasStoppedSince: (ms: number) => boolean
  readonly aheadMs: number
  /** Told when it is killed, or ends: its connections end then. */
  onEnd: (listener: () => void) => void
}

export interface HostOptions {
  name: string
  time: VirtualTime
  /** By how much its clock is ahead of the world's. */
  aheadMs: number
  /** How fast its steady clock runs; about 1. */
  rate: number
}

/** Less than that is rounding. */
const EARLY_MS = 0.01

export function simulatedHost({ name, time, aheadMs: ahead, rate }: HostOptions): SimulatedHost {
  let aheadMs = ahead
  let isAlive = true
  let isStopped = false
  let sleptMs = 0
  let asleepSince: number | null = null
  let inbox: (() => void)[] = []
  const endListeners: (() => void)[] = []
  const bornAt = time.nowMs
  let stoppedAt = -Infinity
  let wokenAt = -Infinity

  function steadyMs(): number {
    return ((asleepSince ?? time.nowMs) - bornAt - sleptMs) * rate
  }

  function deliver(work: () => void): void {
    if (!isAlive) return
    if (isStopped) inbox.push(work)
    else work()
  }

  function after(ms: number, callback: () => void): () => void {
    const dueAt = steadyMs() + ms
    let isCancelled = false
    let scheduled = time.at(time.nowMs + ms / rate, () => {
      deliver(ring)
    })
    return () => {
      scheduled.isCancelled = true
      isCancelled = true
    }

    function ring(): void {
      if (isCancelled) return
      const missingMs = dueAt - steadyMs()
      if (missingMs <= EARLY_MS) {
        callback()
        return
      }
      // The machine has slept: its timers go by the clock that stood still.
      scheduled = time.at(time.nowMs + missingMs / rate, () => {
        deliver(ring)
      })
    }
  }

  return {
    name,
    clock: { epochMs: () => WORLD_BEGAN_AT + time.nowMs + aheadMs, steadyMs, after: afterUnlessDead },
    get isAlive() {
      return isAlive
    },
    get isStopped() {
      return isStopped
    },
    get aheadMs() {
      return aheadMs
    },
    deliver,
    kill: () => {
      isAlive = false
      inbox = []
      for (const listener of endListeners.splice(0)) listener()
    },
    onEnd: (listener) => void endListeners.push(listener),
    wasStoppedSince: (ms) => stoppedAt >= ms || wokenAt >= ms,
    stop: (isAsleep) => {
      isStopped = true
      stoppedAt = time.nowMs
      if (isAsleep) asleepSince = time.nowMs
    },
    wake: () => {
      if (!isStopped) return
      isStopped = false
      wokenAt = time.nowMs
      if (asleepSince !== null) sleptMs += time.nowMs - asleepSince
      asleepSince = null
      const waiting = inbox
      inbox = []
      // Each in an event of its own, as each was when it came.
      for (const work of waiting)
        time.at(time.nowMs, () => {
          deliver(work)
        })
    },
    setClock: (ms) => {
      aheadMs = ms
    },
  }

  function afterUnlessDead(ms: number, callback: () => void): () => void {
    return isAlive ? after(ms, callback) : () => undefined
  }
}
