// The AttemptCounters port as a map, on a clock that the test moves.
import type { AttemptCount, AttemptCounters } from '../../../src/auth/ports.ts'
import type { ManualClock } from './manual-clock.ts'

export interface MemoryAttemptCounters extends AttemptCounters {
  /** What is counted at the moment, as `window:key`. */
  counts(): Record<string, number>
}

export function memoryAttemptCounters(clock: ManualClock): MemoryAttemptCounters {
  const counters = new Map<string, { count: number; endsAtMs: number }>()

  function add(id: string, by: number, seconds: number): AttemptCount {
    const before = live(id) ?? { count: 0, endsAtMs: clock.nowMs() + seconds * 1000 }
    const counter = { ...before, count: before.count + by }
    if (counter.count > 0) counters.set(id, counter)
    else counters.delete(id)
    return { count: counter.count, resetMs: counter.endsAtMs - clock.nowMs() }
  }

  function live(id: string): { count: number; endsAtMs: number } | undefined {
    const counter = counters.get(id)
    return counter && counter.endsAtMs > clock.nowMs() ? counter : undefined
  }

  return {
    count: async ({ name, seconds }, key) => await Promise.resolve(add(`${name}:${key}`, 1, seconds)),
    uncount: async ({ name, seconds }, key) => {
      await Promise.resolve(add(`${name}:${key}`, -1, seconds))
    },
    clear: async ({ name }, key) => {
      await Promise.resolve(counters.delete(`${name}:${key}`))
    },
    pass: async (key, seconds) => {
      const { count, resetMs } = add(`pass:${key}`, 1, seconds)
      return await Promise.resolve(count === 1 ? 0 : resetMs)
    },
    counts: () => {
      const entries = [...counters].filter(([id]) => live(id))
      return Object.fromEntries(entries.map(([id, { count }]) => [id, count]))
    },
  }
}
