// Says of most texts that are not in a large set that they are not, without a look into the set.

export interface PresenceFilter {
  /** Beyond that many it says less and less. */
  readonly capacity: number
  /** Once for each text that enters the set. */
  add: (text: string) => void
  /** Once for each that leaves it. */
  remove: (text: string) => void
  /** False: it is not in the set. True: it may be. */
  mayHold: (text: string) => boolean
}

const SLOTS_PER_TEXT = 8
/** A slot that ever had so many texts has lost count, and keeps saying that there may be one. */
const LOST_COUNT = 255
const HASHED_DIGITS = 6
export const MAX_CAPACITY = 16 ** HASHED_DIGITS / SLOTS_PER_TEXT

/**
 * A byte in one table, and so one miss of the processor's cache; a map of a million texts costs several, as it
 * follows pointers to each text that it compares. `capacity` is a power of two.
 */
export function presenceFilter(wanted: number): PresenceFilter {
  const capacity = Math.min(wanted, MAX_CAPACITY)
  const counts = new Uint8Array(capacity * SLOTS_PER_TEXT)
  const mask = counts.length - 1

  return {
    capacity,

    add(text) {
      const slot = hashOf(text) & mask
      const count = counts[slot] ?? 0
      if (count < LOST_COUNT) counts[slot] = count + 1
    },

    remove(text) {
      const slot = hashOf(text) & mask
      const count = counts[slot] ?? 0
      if (count < LOST_COUNT) counts[slot] = count - 1
    },

    mayHold: (text) => counts[hashOf(text) & mask] !== 0,
  }
}

/** The last digits of a UUID or a hash are random as they are; of other texts they are as good as any. */
function hashOf(text: string): number {
  let hash = 0
  for (let index = Math.max(0, text.length - HASHED_DIGITS); index < text.length; index++) {
    const code = text.charCodeAt(index)
    // The value of a hexadecimal digit, in either case.
    hash = (hash << 4) + (code & 15) + 9 * (code >> 6)
  }
  return hash
}
