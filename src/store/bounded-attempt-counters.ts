// The AttemptCounters port in the memory of this process, which does not grow with the number of keys.
import type { AttemptCount, AttemptCounters } from '../auth/ports.ts'
import { recentMap, type RecentMap } from './recent-map.ts'

/**
 * In each window, so that a flood of one kind of key drives out none of another. To drive a failure out
 * takes half as many other wrong guesses; each costs a password hash, which makes that minutes of work.
 */
const WINDOW_KEYS = 50_000

const PASS = 'pass'

interface Counter {
  count: number
  endsAtMs: number
}

/** `nowMs` may begin anywhere. */
export function boundedAttemptCounters(nowMs: () => number): AttemptCounters {
  const windows = new Map<string, RecentMap<Counter>>()

  function counters(name: string): RecentMap<Counter> {
    const known = windows.get(name)
    if (known) return known
    const created = recentMap<Counter>(WINDOW_KEYS)
    windows.set(name, created)
    return created
  }

  function current(name: string, key: string): Counter | undefined {
    const counter = counters(name).get(key)
    return counter && counter.endsAtMs > nowMs() ? counter : undefined
  }

  function add(name: string, key: string, seconds: number): AttemptCount {
    const now = nowMs()
    let counter = current(name, key)
    if (!counter) {
      counter = { count: 0, endsAtMs: now + seconds * 1000 }
      counters(name).set(key, counter)
    }
    counter.count += 1
    return { count: counter.count, resetMs: counter.endsAtMs - now }
  }

  return {
    count: async ({ name, seconds }, key) => await Promise.resolve(add(name, key, seconds)),

    uncount: async ({ name }, key) => {
      const counter = current(name, key)
      if (counter && counter.count > 1) counter.count -= 1
      else counters(name).delete(key)
      await Promise.resolve()
    },

    clear: async ({ name }, key) => {
      counters(name).delete(key)
      await Promise.resolve()
    },

    pass: async (key, seconds) => {
      const { count, resetMs } = add(PASS, key, seconds)
      return await Promise.resolve(count === 1 ? 0 : resetMs)
    },
  }
}
