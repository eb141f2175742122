// The denials that the feed holds: each once, in the order in which they came, as long as they matter.
import type { FedDenial } from '../../auth/ports/denials.ts'

export interface HeldDenials {
  readonly begin: number
  readonly end: number
  at: (index: number) => FedDenial
  /** Whether it was news: not held yet, or not for so long. It matters until `endsAtMs`. */
  add(denial: FedDenial, endsAtMs: number): boolean
  /** Lets go of what is past, oldest first. By the clock of `endsAtMs`. */
  prune(nowMs: number): void
}

/** What is told of one denial by several sources differs by the time they took. */
const SAME_WITHIN_MS = 5000

/** Let go of together: moving those that stay costs time. */
const PRUNED_AT_ONCE = 4096

interface Held extends FedDenial {
  endsAtMs: number
}

export function heldDenials(): HeldDenials {
  const byId = new Map<string, Held>()
  let denials: Held[] = []
  /** The number of the first of `denials`, and how many of them are gone already. */
  let offset = 0
  let gone = 0

  return {
    get begin() {
      return offset + gone
    },
    get end() {
      return offset + denials.length
    },
    at: (index) => denials[index - offset] as Held,

    add: (denial, endsAtMs) => {
      const { id, createdAtMs } = denial
      const held = byId.get(id)
      if (held && isHeld(held, { createdAtMs, endsAtMs })) {
        held.createdAtMs = Math.min(held.createdAtMs, createdAtMs)
        return false
      }
      const added = { ...denial, endsAtMs }
      byId.set(id, added)
      denials.push(added)
      return true
    },

    prune: (nowMs) => {
      for (;;) {
        const oldest = denials[gone]
        if (!oldest || oldest.endsAtMs >= nowMs) break
        if (byId.get(oldest.id) === oldest) byId.delete(oldest.id)
        gone += 1
      }
      if (gone < PRUNED_AT_ONCE) return
      denials = denials.slice(gone)
      offset += gone
      gone = 0
    },
  }
}

/** The last rows of the journal are read again and again. */
function isHeld(held: Held, { createdAtMs, endsAtMs }: Pick<Held, 'createdAtMs' | 'endsAtMs'>): boolean {
  const isSameRow = Number.isFinite(createdAtMs) && held.createdAtMs === createdAtMs
  return isSameRow || held.endsAtMs + SAME_WITHIN_MS >= endsAtMs
}
