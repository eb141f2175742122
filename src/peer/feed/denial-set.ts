// The denials a peer holds, each until no token that it covers can be accepted any more.
import type { DeniedId } from '../../contract/denylist-keys.ts'
import { MAX_CAPACITY, presenceFilter } from './presence-filter.ts'

export interface DenialSet {
  readonly size: number
  has: (id: DeniedId) => boolean
  /** Keeps the later end of two. Throws `DenialSetFullError` when there is no room. */
  add: (denial: HeldDenial) => void
  /** Drops some of those that are over; called four times a second, it drops them within two minutes. */
  prune: (nowSeconds: number) => void
}

export interface HeldDenial {
  id: DeniedId
  /** Seconds, by the clock of `prune`. */
  endsAt: number
}

/** More than it may hold; to forget one of them would be to accept its tokens. */
export class DenialSetFullError extends Error {
  override readonly name = 'DenialSetFullError'
}

/** About 130 bytes each: 650 MB. As many logouts as that, within the life of an access token, are 16,000 a second. */
const MAX_DENIALS = 5_000_000
/** Of the whole, at each call: a million takes well under a millisecond at a time. */
const PRUNED_SHARE = 1 / 240
const MIN_PRUNED = 100
const FIRST_CAPACITY = 512

export function denialSet(maxSize: number = MAX_DENIALS): DenialSet {
  const ends = new Map<DeniedId, number>()
  let cursor = ends.entries()
  let filter = presenceFilter(FIRST_CAPACITY)

  return {
    get size() {
      return ends.size
    },

    has: (id) => filter.mayHold(id) && ends.has(id),

    add({ id, endsAt }) {
      const known = ends.get(id)
      if (known !== undefined && known >= endsAt) return
      if (known === undefined && ends.size >= maxSize) {
        throw new DenialSetFullError(`more than ${maxSize} denials`)
      }
      ends.set(id, endsAt)
      if (known !== undefined) return
      filter.add(id)
      if (ends.size > filter.capacity && filter.capacity < MAX_CAPACITY) enlargeFilter()
    },

    prune(nowSeconds) {
      const count = Math.max(MIN_PRUNED, Math.ceil(ends.size * PRUNED_SHARE))
      for (let visited = 0; visited < count; visited++) {
        const { done, value } = cursor.next()
        if (done) {
          // An iterator that has come to its end stays there.
          cursor = ends.entries()
          return
        }
        const [id, endsAt] = value
        if (endsAt >= nowSeconds) continue
        ends.delete(id)
        filter.remove(id)
      }
    },
  }

  /** Rarely: the next time is at eight times as many. */
  function enlargeFilter(): void {
    const larger = presenceFilter(filter.capacity * 8)
    for (const id of ends.keys()) larger.add(id)
    filter = larger
  }
}
