// A map that keeps what was touched last: of its two generations, the older goes whole.

export interface RecentMap<V> {
  readonly size: number
  /** Touches it. */
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
}

/**
 * Holds no more than `capacity` entries; one that is not touched lasts for at least half as many new ones.
 *
 * Two generations instead of one map whose first entry goes: the holes that deletions leave at the front of
 * a map are walked through each time its first entry is looked for.
 */
export function recentMap<V>(capacity: number): RecentMap<V> {
  const generationSize = Math.floor(capacity / 2)
  let young = new Map<string, V>()
  let old = new Map<string, V>()

  function set(key: string, value: V): void {
    old.delete(key)
    if (young.size >= generationSize && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }

  return {
    get size() {
      return young.size + old.size
    },
    get: (key) => {
      const fresh = young.get(key)
      if (fresh !== undefined) return fresh
      const stale = old.get(key)
      if (stale !== undefined) set(key, stale)
      return stale
    },
    set,
    delete: (key) => {
      young.delete(key)
      old.delete(key)
    },
  }
}
