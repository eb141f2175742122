// What the journal has and partitions of Redis lack, read and written batch by batch.
import { type JournalTime, partitionOf } from '../../contract/denylist-keys.ts'
import { OVERLAP_MS, type JournalReader, type JournalRow } from '../postgres/journal-reader.ts'
import type { Watermarks, PartitionState, Step } from '../redis/watermarks.ts'

export interface ReplayDeps {
  partitions: Watermarks
  journal: JournalReader
  /** Told after each batch, and at the end: how many denials this round has written so far. */
  onRound: (progress: RoundProgress) => void
  /** Hears of each step that Redis failed to take. */
  onFailure: (error: unknown) => void
}

export interface RoundProgress {
  written: number
  seconds: number
  isOver: boolean
}

/** A partition in the middle of a round. */
export interface Underway extends PartitionState {
  /** Whether it has the newest rows of the last round. */
  hasKnown: boolean
}

export interface Replay {
  /** Loses the partitions that were not where they were expected. */
  underway: Map<string, Underway>
  known: ReadonlySet<string>
  asOf: JournalTime
  budgetMs: number
}

export interface Replayed {
  /** The newest rows, by `seq`: those that the next round reads again. */
  seen: Set<string>
  /** Whether the journal was read to its end. */
  isComplete: boolean
}

/** Rejects as a round does. */
export async function replay(
  deps: ReplayDeps,
  { underway, known, asOf, budgetMs }: Replay,
): Promise<Replayed> {
  const seen = new Set<string>()
  const startedAt = performance.now()
  let written = 0
  let isComplete = true
  const tell = (isOver: boolean): void => {
    deps.onRound({ written, seconds: (performance.now() - startedAt) / 1000, isOver })
  }

  const write = async (rows: JournalRow[]): Promise<void> => {
    // Rows come in the order of their time, so what is older than the last of them is in.
    const upTo = Math.min(asOf, Math.floor(rows.at(-1)?.createdAtMs ?? 0))
    const steps: Step[] = []
    for (const [partition, all] of byPartition(rows)) {
      const state = underway.get(partition)
      if (!state) continue
      const since = Math.min(state.relayedUpTo, asOf) - OVERLAP_MS
      const denials = all.filter(
        ({ seq, createdAtMs }) => createdAtMs >= since && !(state.hasKnown && known.has(seq)),
      )
      const relayedUpTo = Math.max(state.relayedUpTo, upTo)
      if (denials.length > 0) steps.push({ ...stepFrom(state), relayedUpTo, denials })
      written += denials.length
    }
    await advance(deps, underway, steps)
    tell(false)
  }

  // What is empty now, and filled and emptied again while the journal is read, would look the same.
  await advance(
    deps,
    underway,
    [...underway.values()].filter(({ position }) => position === '').map(stepFrom),
  )

  let writing: Promise<void> = Promise.resolve()
  // A clock that was set back, as after a failover, must not hide what is written now.
  const since = Math.min(asOf, ...[...underway.values()].map(({ relayedUpTo }) => relayedUpTo)) - OVERLAP_MS
  try {
    for await (const rows of deps.journal.readSince(since)) {
      for (const { seq, createdAtMs } of rows) if (createdAtMs >= asOf - OVERLAP_MS) seen.add(seq)
      await writing
      // While the next batch is read.
      writing = write(rows)
      writing.catch(() => undefined)
      isComplete = underway.size > 0 && performance.now() - startedAt < budgetMs
      if (!isComplete) break
    }
  } finally {
    // Where the partitions stand is known again, also when the journal has failed.
    await writing
  }
  tell(isComplete)
  return { seen, isComplete }
}

/** Takes `steps`, and drops from `underway` those that were not where they were expected. */
async function advance(deps: ReplayDeps, underway: Map<string, Underway>, steps: Step[]): Promise<void> {
  const reached = await takeAll(deps, steps)
  for (const { partition, relayedUpTo } of steps) {
    const state = underway.get(partition)
    const position = reached.get(partition)
    if (state && position !== undefined) underway.set(partition, { ...state, position, relayedUpTo })
    else underway.delete(partition)
  }
}

/** A step that leaves the position where it is in time. */
export function stepFrom({ partition, position, relayedUpTo }: PartitionState): Step {
  return { partition, from: position, relayedUpTo }
}

/**
 * Resolves to the new positions of those that were where they were expected, and took the step. Rejects when
 * all failed.
 */
export async function takeAll(
  { partitions, onFailure }: ReplayDeps,
  steps: Step[],
): Promise<Map<string, string>> {
  const outcomes = await Promise.allSettled(steps.map(async (step) => await partitions.step(step)))
  const failures = outcomes.filter((outcome) => outcome.status === 'rejected')
  const [first] = failures
  if (first && failures.length === steps.length) throw first.reason
  if (first) onFailure(first.reason)

  const reached = new Map<string, string>()
  for (const [index, { partition }] of steps.entries()) {
    const outcome = outcomes[index]
    if (outcome?.status === 'fulfilled' && outcome.value !== null) reached.set(partition, outcome.value)
  }
  return reached
}

function byPartition(rows: JournalRow[]): Map<string, JournalRow[]> {
  const grouped = new Map<string, JournalRow[]>()
  for (const row of rows) {
    const partition = partitionOf(row.id)
    const group = grouped.get(partition)
    if (group) group.push(row)
    else grouped.set(partition, [row])
  }
  return grouped
}
