// The sweep: round and round, whether Redis holds what its positions vouch for; what is missing is written and counted.
import type { Clock } from '../../clock.ts'
import { type JournalTime, partitionOf } from '../../contract/denylist-keys.ts'
import {
  OVERLAP_MS,
  type JournalCursor,
  type JournalReader,
  type JournalRow,
} from '../postgres/journal-reader.ts'
import { parsePosition } from '../redis/proof.ts'
import type { Fill, Watermarks } from '../redis/watermarks.ts'
import type { OwnPositions } from './own-positions.ts'

export interface SweepDeps {
  clock: Clock
  journal: Pick<JournalReader, 'readBatch'>
  watermarks: Pick<Watermarks, 'fill'>
  own: Pick<OwnPositions, 'of'>
  leewaySeconds: number
  /** Hears of each partition where something was missing. */
  onRepaired: (repaired: Repaired) => void
  /** Hears of each sweep that has come to the end of the journal. */
  onSwept: (swept: Swept) => void
}

export interface Repaired {
  partition: string
  denials: number
  /** Of the oldest of them, since it was journaled. */
  oldestAgeSeconds: number
}

/** One sweep has found this. */
export interface Swept {
  /** By the journal's clock, when it ended. */
  endedAtMs: JournalTime
  seconds: number
  /** Denials that were looked for, those that were missing and are written now, and those that could not be looked for. */
  checked: number
  repaired: number
  unchecked: number
}

export interface Sweep {
  /** Looks for one batch. Partitions must stand where this instance has just brought them. Rejects as a round does. */
  step(journal: { nowMs: JournalTime; relayedUpTo: JournalTime }): Promise<void>
  /** Begins anew the next time: this instance relays no longer. */
  forget(): void
}

/** Denials a step, with a step each second: 100,000 take less than a minute. */
const BATCH_SIZE = 2000
/** From the beginning of one sweep to that of the next. */
const INTERVAL_MS = 30_000

interface UnderWay {
  startedAt: number
  after: JournalCursor | null
  checked: number
  repaired: number
  unchecked: number
}

export function sweep(deps: SweepDeps): Sweep {
  const { clock, journal, leewaySeconds } = deps
  let underWay: UnderWay | null = null
  let startedAt = -Infinity

  return {
    step: async ({ nowMs, relayedUpTo }) => {
      if (!underWay) {
        if (clock.steadyMs() - startedAt < INTERVAL_MS) return
        startedAt = clock.steadyMs()
        underWay = { startedAt, after: null, checked: 0, repaired: 0, unchecked: 0 }
      }
      const current = underWay
      const { rows, next } = await journal.readBatch(current.after, BATCH_SIZE)
      // Later ones may have committed after the round that set the positions.
      const vouchedFor = rows.filter(({ createdAtMs }) => createdAtMs < relayedUpTo - OVERLAP_MS)
      // Redis may be ahead of Postgres, and drop a denial that is about to end a little earlier.
      const lasting = vouchedFor.filter(({ ttlMs }) => ttlMs > leewaySeconds * 1000)
      await look(current, lasting, nowMs)
      current.after = next
      if (next !== null && vouchedFor.length === rows.length) return
      const seconds = Math.round(clock.steadyMs() - current.startedAt) / 1000
      const { checked, repaired, unchecked } = current
      underWay = null
      deps.onSwept({ endedAtMs: nowMs, seconds, checked, repaired, unchecked })
    },

    forget: () => {
      underWay = null
    },
  }

  async function look(current: UnderWay, rows: JournalRow[], nowMs: JournalTime): Promise<void> {
    const fills = [...byPartition(rows)].flatMap(([partition, all]) => {
      const position = deps.own.of(partition)
      // A partition that is being written anew lacks what it was not brought up to yet.
      const upTo = parsePosition(position ?? null)?.relayedUpTo ?? 0
      const denials = all.filter(({ createdAtMs }) => createdAtMs < upTo - OVERLAP_MS)
      return position === undefined || denials.length === 0 ? [] : [{ partition, position, denials }]
    })
    const filled = fills.length === 0 ? new Map<string, number[]>() : await deps.watermarks.fill(fills)
    let checked = 0
    for (const fill of fills) {
      const missing = filled.get(fill.partition)
      if (!missing) continue
      checked += fill.denials.length
      current.repaired += missing.length
      if (missing.length > 0) deps.onRepaired(repairedOf(fill, missing, nowMs))
    }
    current.checked += checked
    current.unchecked += rows.length - checked
  }
}

function repairedOf({ partition, denials }: Fill, missing: number[], nowMs: JournalTime): Repaired {
  const times = missing.map((place) => (denials[place] as JournalRow).createdAtMs)
  const oldestAgeSeconds = Math.round((nowMs - Math.min(...times)) / 1000)
  return { partition, denials: missing.length, oldestAgeSeconds }
}

function byPartition(rows: readonly JournalRow[]): Map<string, JournalRow[]> {
  const grouped = new Map<string, JournalRow[]>()
  for (const row of rows) {
    const partition = partitionOf(row.id)
    const group = grouped.get(partition)
    if (group) group.push(row)
    else grouped.set(partition, [row])
  }
  return grouped
}
