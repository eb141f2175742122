// The AttemptCounters port as a map, on a clock that the test moves.
import type { AttemptCounters } from '../../../src/auth/ports/attempts.ts'
import type { ManualClock } from './manual-clock.ts'

export interface MemoryAttemptCounters extends AttemptCounters {
  /** What is counted at the moment, as `window:key`. */
  counts(): Record<string, number>
}

interface Counter {
  count: number
  endsAtMs: number
}

export function memoryAttemptCounters(clock: ManualClock): MemoryAttemptCounters {
  const counters = new Map<string, Counter>()

  function live(id: string): Counter | undefined {
    const counter = counters.get(id)
    return counter && counter.endsAtMs > clock.nowMs() ? counter : undefined
  }

  return {
    peek: async ({ name }, key) => {
      await Promise.resolve()
      const { count, endsAtMs } = live(`${name}:${key}`) ?? { count: 0, endsAtMs: clock.nowMs() }
      return { count, resetMs: endsAtMs - clock.nowMs() }
    },
    count: async ({ name, seconds }, key) => {
      await Promise.resolve()
      const id = `${name}:${key}`
      const counter = live(id) ?? { count: 0, endsAtMs: clock.nowMs() + seconds * 1000 }
      counter.count += 1
      counters.set(id, counter)
      return { count: counter.count, resetMs: counter.endsAtMs - clock.nowMs() }
    },
    clear: async ({ name }, key) => {
      await Promise.resolve(counters.delete(`${name}:${key}`))
    },
    counts: () => {
      const entries = [...counters].filter(([id]) => live(id))
      return Object.fromEntries(entries.map(([id, { count }]) => [id, count]))
    },
  }
}
