// The memory of this instance: the denials that it has acknowledged or heard of, as long as an access token can be old.
import type { Denial } from '../../auth/ports/denials.ts'
import type { Clock } from '../../clock.ts'
import type { DeniedId, JournalTime } from '../../contract/denylist-keys.ts'
import { heldDenials, type HeldDenials } from './held-denials.ts'

export interface DenialMemory {
  /** The denials that the feed tells. */
  readonly fed: HeldDenials
  /** The tokens of other services: no replica is asked about them. */
  readonly foreign: HeldDenials
  has: (id: DeniedId) => boolean
  /** Whether some of them were news for the feed. `createdAtMs` is missing where it is not known yet. */
  add(denials: readonly Remembered[], isAcknowledged: boolean): boolean
  /** Whether there was no room for some since this was asked last. */
  hasOverflown(): boolean
  /** Lets go of what is past. */
  prune: () => void
}

export interface Remembered extends Denial {
  createdAtMs?: JournalTime
}

/** When some denials were heard of, and whether somebody was told that they hold. */
interface Moment {
  epochMs: number
  steadyMs: number
  isAcknowledged: boolean
}

export interface DenialMemoryOptions {
  clock: Clock
  windowMs: number
  maxHeld: number
}

export function denialMemory({ clock, windowMs, maxHeld }: DenialMemoryOptions): DenialMemory {
  const [fed, foreign] = [heldDenials(), heldDenials()]
  let isOverflown = false

  /**
   * Whether it was news for the feed. However old a row is, until it is seen tokens may have been issued: its commit
   * may have waited.
   */
  function addOne({ id, ttlMs, createdAtMs = Infinity }: Remembered, when: Moment): boolean {
    const leftMs = Math.min(ttlMs, windowMs)
    if (!(leftMs > 0)) return false
    // Foreign tokens are not access tokens of ours, whatever their issuer calls them.
    const isFed = id.includes('-')
    const held = isFed ? fed : foreign
    if (held.end - held.begin >= maxHeld) {
      isOverflown ||= isFed
      return false
    }
    const { epochMs, steadyMs, isAcknowledged } = when
    const isNews = held.add({
      id,
      until: Math.ceil((epochMs + leftMs) / 1000) + 1,
      createdAtMs,
      endsAtMs: steadyMs + leftMs + 1000,
      isAcknowledged,
      heardAtMs: steadyMs,
      lastsUntilMs: steadyMs + ttlMs,
    })
    return isNews && isFed
  }

  return {
    fed,
    foreign,
    has: (id) => fed.has(id) || foreign.has(id),
    add: (denials, isAcknowledged) => {
      const when = { epochMs: clock.epochMs(), steadyMs: clock.steadyMs(), isAcknowledged }
      let isNews = false
      for (const denial of denials) isNews = addOne(denial, when) || isNews
      return isNews
    },
    hasOverflown: () => {
      const wasOverflown = isOverflown
      isOverflown = false
      return wasOverflown
    },
    prune: () => {
      for (const held of [fed, foreign]) held.prune(clock.steadyMs())
    },
  }
}
