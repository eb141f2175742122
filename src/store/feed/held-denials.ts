// The denials that this instance has in memory: each once, in the order in which they came, as long as they matter.
import type { FedDenial } from '../../auth/ports/denials.ts'
import type { DeniedId } from '../../contract/denylist-keys.ts'

export interface HeldDenials {
  readonly begin: number
  readonly end: number
  at: (index: number) => HeldDenial
  has: (id: DeniedId) => boolean
  /** Keeps the very object that it is given. Returns whether it was news: not held yet, or not for so long. */
  add(denial: HeldDenial): boolean
  /** Lets go of what is past, oldest first. By the clock of `endsAtMs`. */
  prune(nowMs: number): void
}

/** Several sources that tell of one denial differ by the time they took. */
const SAME_WITHIN_MS = 5000

/** Let go of together: moving those that stay costs time. */
const PRUNED_AT_ONCE = 4096

export interface HeldDenial extends FedDenial {
  /** It matters until then, by the clock of `prune`. */
  endsAtMs: number
  /** Whether somebody was told that it holds: then the journal has it, or had it. */
  isAcknowledged: boolean
  /** When this instance learnt of it, by the same clock. */
  heardAtMs: number
  /** The denial itself lasts until then, by the same clock. */
  lastsUntilMs: number
}

export function heldDenials(): HeldDenials {
  const byId = new Map<DeniedId, HeldDenial>()
  let denials: HeldDenial[] = []
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
    at: (index) => denials[index - offset] as HeldDenial,
    has: (id) => byId.has(id),

    add: (denial) => {
      const held = byId.get(denial.id)
      if (held && isHeld(held, denial)) {
        held.createdAtMs = Math.min(held.createdAtMs, denial.createdAtMs)
        held.isAcknowledged ||= denial.isAcknowledged
        return false
      }
      byId.set(denial.id, denial)
      denials.push(denial)
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
function isHeld(held: HeldDenial, { createdAtMs, endsAtMs }: HeldDenial): boolean {
  const isSameRow = Number.isFinite(createdAtMs) && held.createdAtMs === createdAtMs
  return isSameRow || held.endsAtMs + SAME_WITHIN_MS >= endsAtMs
}
