// The Denylist port in memory, with the ways in which a Redis lets its users down.
import type { Denylist } from '../../../src/auth/ports/denials.ts'
import type { ManualClock } from './manual-clock.ts'

export interface MemoryDenylist extends Denylist {
  /** While `false`, it answers `unknown`, as one that does not agree with the journal. */
  isTrusted: boolean
  /** While `false`, nothing can be read or written. */
  isAnswering: boolean
  /** When each denial ends, by id. */
  readonly denials: Map<string, number>
  /** How often it was asked. */
  readonly checks: number
  /** Forgets all it knows, and that it ever knew it. */
  empty(): void
}

export function memoryDenylist(clock: ManualClock): MemoryDenylist {
  const denials = new Map<string, number>()
  let checks = 0
  const denylist: MemoryDenylist = {
    isTrusted: true,
    isAnswering: true,
    denials,
    get checks() {
      return checks
    },
    empty: () => {
      denials.clear()
      denylist.isTrusted = false
    },

    check: async ({ sid, jti }) => {
      await Promise.resolve()
      checks += 1
      denylist.isTrusted &&= denylist.isAnswering
      if (!denylist.isTrusted) return 'unknown'
      return isDenied(sid) || isDenied(`${sid}:${jti}`) ? 'denied' : 'live'
    },

    deny: async (added) => {
      await Promise.resolve()
      denylist.isTrusted &&= denylist.isAnswering
      if (!denylist.isAnswering) return
      for (const { id, ttlMs } of added) if (ttlMs >= 1) denials.set(id, clock.nowMs() + ttlMs)
    },

    tell: async (added) => {
      await denylist.deny(added)
    },
  }
  return denylist

  function isDenied(id: string): boolean {
    return (denials.get(id) ?? 0) > clock.nowMs()
  }
}
