// A feed of denials that a test fills by hand. Its readers resume by the time alone.
import type { DenialFeed, FedDenial } from '../../../src/auth/ports/denials.ts'
import type { DeniedId, JournalTime } from '../../../src/contract/denylist-keys.ts'

export interface MemoryDenialFeed extends DenialFeed {
  isKnown: boolean
  begin: number
  resumeId: string
  /** How often a denial was asked for. */
  askedFor: number
  deny: (...ids: DeniedId[]) => void
  denyMany: (count: number) => void
  /** Journaled at that time. */
  denyAt: (id: DeniedId, createdAtMs: JournalTime) => void
  /** All that was acknowledged before then is in. */
  knowUpTo: (asOf: number) => void
}

export const MEMORY_FEED_UNTIL = 1_800_000_300

export function memoryDenialFeed(): MemoryDenialFeed {
  const denials: FedDenial[] = []
  const listeners: (() => void)[] = []
  let asOf = -Infinity

  const add = (id: DeniedId, createdAtMs: JournalTime): void => {
    denials.push({ id, until: MEMORY_FEED_UNTIL, createdAtMs })
  }
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  const feed: MemoryDenialFeed = {
    isKnown: true,
    leaseSeconds: 5,
    coversSeconds: 305,
    resumeId: '1800000000000',
    resumeFrom: (id) => (/^\d+$/.test(id) ? Number(id) : null),
    begin: 0,
    askedFor: 0,
    get end() {
      return denials.length
    },
    get asOf() {
      return asOf
    },
    at: (index) => {
      const denial = denials[index]
      if (!denial || index < feed.begin) throw new Error(`${index} is not held`)
      feed.askedFor += 1
      return denial
    },
    onNews: (listener) => void listeners.push(listener),

    deny: (...ids) => {
      for (const id of ids) add(id, Infinity)
      tell()
    },
    denyMany: (count) => {
      const first = denials.length
      for (let i = 0; i < count; i += 1) add(`id-${first + i}`, Infinity)
      tell()
    },
    denyAt: (id, createdAtMs) => {
      add(id, createdAtMs)
      tell()
    },
    knowUpTo: (time) => {
      asOf = time
      tell()
    },
  }
  return feed
}
