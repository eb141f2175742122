// A clock of a machine that stands still until a test moves it: then what was to happen meanwhile does, in its order.
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../../../src/clock.ts'

export interface FakeClock extends Clock {
  /** Milliseconds until the next thing that is to happen; `null` when there is none. */
  nextMs(): number | null
  /** Lets what each timer begins go on, as far as it needs nothing from outside, before the next one. */
  advance(ms: number): Promise<void>
}

interface Timer {
  atMs: number
  callback: () => void
}

export function fakeClock(startEpochMs = 1_800_000_000_000): FakeClock {
  let nowMs = 0
  const timers = new Set<Timer>()
  const next = (): Timer | undefined => [...timers].sort((a, b) => a.atMs - b.atMs)[0]

  return {
    epochMs: () => startEpochMs + nowMs,
    steadyMs: () => nowMs,
    after: (ms, callback) => {
      const timer = { atMs: nowMs + Math.max(ms, 0), callback }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    nextMs: () => {
      const first = next()
      return first ? first.atMs - nowMs : null
    },
    advance: async (ms) => {
      const endsAt = nowMs + ms
      await turn()
      for (let timer = next(); timer && timer.atMs <= endsAt; timer = next()) {
        timers.delete(timer)
        nowMs = timer.atMs
        timer.callback()
        await turn()
      }
      nowMs = endsAt
    },
  }
}
