// The AttemptCounters port in the memory of this process, which does not grow with the number of keys.
import QuickLRU from 'quick-lru'
import type { AttemptCounters } from '../../auth/ports/attempts.ts'

/**
 * In each window, so that a flood of one kind of key drives out none of another. To drive a failure out
 * takes as many other wrong guesses; each costs a password hash, which makes that minutes of work. There
 * may be twice as many.
 */
const WINDOW_KEYS = 25_000

interface Counter {
  count: number
  endsAtMs: number
}

/** `nowMs` may begin anywhere. */
export function boundedAttemptCounters(nowMs: () => number): AttemptCounters {
  const windows = new Map<string, QuickLRU<string, Counter>>()

  function counters(name: string): QuickLRU<string, Counter> {
    const known = windows.get(name)
    if (known) return known
    const created = new QuickLRU<string, Counter>({ maxSize: WINDOW_KEYS })
    windows.set(name, created)
    return created
  }

  function current(name: string, key: string): Counter | undefined {
    const counter = counters(name).get(key)
    return counter && counter.endsAtMs > nowMs() ? counter : undefined
  }

  return {
    peek: async ({ name }, key) => {
      const counter = current(name, key)
      return await Promise.resolve(
        counter ? { count: counter.count, resetMs: counter.endsAtMs - nowMs() } : { count: 0, resetMs: 0 },
      )
    },

    count: async ({ name, seconds }, key) => {
      const now = nowMs()
      let counter = current(name, key)
      if (!counter) {
        counter = { count: 0, endsAtMs: now + seconds * 1000 }
        counters(name).set(key, counter)
      }
      counter.count += 1
      return await Promise.resolve({ count: counter.count, resetMs: counter.endsAtMs - now })
    },

    clear: async ({ name }, key) => {
      counters(name).delete(key)
      await Promise.resolve()
    },
  }
}
