// One round of the relay: what the journal has is written to Redis, and each partition says how far it has come.
import type { Clock } from '../../clock.ts'
import { type JournalTime, partitionOf } from '../../contract/denylist-keys.ts'
import {
  OVERLAP_MS,
  type JournalClock,
  type JournalReader,
  type JournalRow,
} from '../postgres/journal-reader.ts'
import type { PartitionState, Step, Watermarks } from '../redis/watermarks.ts'
import type { JournalView } from './journal-view.ts'
import type { OwnPositions } from './own-positions.ts'

export interface RelayRoundDeps {
  clock: Clock
  instanceId: string
  leaseMs: number
  watermarks: Pick<Watermarks, 'step'>
  own: OwnPositions
  view: JournalView
  journal: Pick<JournalReader, 'readSince'>
  /** Told after each batch, and at the end: how many denials this round has written so far. */
  onRound: (progress: RoundProgress) => void
  /** Hears of steps that Redis failed to take, where it took others. */
  onFailure: (error: unknown) => void
}

export interface RoundProgress {
  written: number
  seconds: number
  isOver: boolean
}

export interface Round {
  /** Read before the clock. */
  states: readonly PartitionState[]
  clock: JournalClock
  /** Otherwise watermarks are taken away: another deployment brings partitions to where this one cannot vouch. */
  mayVouch: boolean
}

/**
 * Brings Redis up to what the journal says now: all that the journal has since the position of a partition, and the
 * overlap before that, is written again each time. Nothing is left out for being known. A partition whose position is
 * not believed gets all of the journal.
 *
 * Partitions that are far behind come last, and get no further than a second or so allows: the next round goes on
 * from there. One that fails, or was emptied or rolled back in the middle, is left to the next round, too. Rejects
 * with `unavailable` for the journal; with the driver's error where Redis took no step at all.
 */
export async function relayRound(deps: RelayRoundDeps, round: Round): Promise<void> {
  const asOf = Math.floor(round.clock.settledUpTo)
  const all = round.states.map((state) => underwayFrom(deps, state, asOf))
  const isFar = ({ since }: Underway): boolean => since < asOf - FAR_BEHIND_MS
  const near = all.filter((partition) => !isFar(partition))
  const far = all.filter(isFar)
  if (near.length > 0) await bring(deps, round, { partitions: near, asOf, budgetMs: Infinity })
  if (far.length > 0) await bring(deps, round, { partitions: far, asOf, budgetMs: BUDGET_MS })
}

/** Partitions further behind have lost what they had, or nobody relayed for a while. */
const FAR_BEHIND_MS = 60_000
/** For those: the others are renewed in between, well before their watermarks fall. */
const BUDGET_MS = 1500

/** A partition in the middle of a round. */
interface Underway {
  partition: string
  /** The position that stands there, as far as is known. */
  positionText: string
  /** All that the journal had before that is in it. */
  since: JournalTime
  isBelieved: boolean
  redisNowMs: number
}

function underwayFrom({ view }: RelayRoundDeps, state: PartitionState, asOf: JournalTime): Underway {
  const { partition, positionText, position, redisNowMs } = state
  const isBelieved = view.believesPosition(state)
  // A clock that was set back must not hide what is written now.
  const since = isBelieved && position ? Math.min(position.relayedUpTo, asOf) : 0
  return { partition, positionText, since, isBelieved, redisNowMs }
}

interface Bringing {
  partitions: Underway[]
  asOf: JournalTime
  budgetMs: number
}

async function bring(
  deps: RelayRoundDeps,
  round: Round,
  { partitions, asOf, budgetMs }: Bringing,
): Promise<void> {
  const underway = new Map(partitions.map((partition) => [partition.partition, partition]))
  const startedAt = deps.clock.steadyMs()
  const stepping = stepper(deps, round, { underway, asOf })
  const tell = (isOver: boolean): void => {
    deps.onRound({ written: stepping.written, seconds: (deps.clock.steadyMs() - startedAt) / 1000, isOver })
  }

  // A partition that is empty now, and is filled and emptied again while the journal is read, would look the same.
  await stepping.claim()

  const since = Math.min(asOf, ...partitions.map((partition) => partition.since)) - OVERLAP_MS
  let isComplete = true
  let held: JournalRow[] = []
  let writing: Promise<void> = Promise.resolve()
  try {
    for await (const rows of deps.journal.readSince(since)) {
      await writing
      // While the next batch is read.
      writing = stepping.write(held)
      writing.catch(() => undefined)
      held = rows
      tell(false)
      isComplete = underway.size > 0 && deps.clock.steadyMs() - startedAt < budgetMs
      if (!isComplete) break
    }
  } finally {
    // Where the partitions stand is known again, also when the journal has failed.
    await writing
  }
  if (isComplete) await stepping.finish(held)
  else await stepping.write(held)
  tell(isComplete)
}

interface Stepping {
  underway: Map<string, Underway>
  asOf: JournalTime
}

/** Drops from `underway` the partitions that were not where they were expected. */
function stepper(deps: RelayRoundDeps, { clock, mayVouch }: Round, { underway, asOf }: Stepping) {
  const { watermarks, own, view, instanceId, leaseMs } = deps
  const names = { journalName: view.journalName ?? '', serverEpoch: clock.serverEpoch, instanceId }
  let written = 0

  return {
    get written() {
      return written
    },

    claim: async () => {
      await advance(
        [...underway.values()].filter(({ isBelieved }) => !isBelieved).map((state) => stepTo(state, 0)),
      )
    },

    write: async (rows: JournalRow[]) => {
      // Rows come in the order of their time, so what is older than the last of them is in.
      const upTo = Math.min(asOf, Math.floor(rows.at(-1)?.createdAtMs ?? 0))
      const steps = [...denialsOf(rows)].flatMap(([partition, denials]) => {
        const state = underway.get(partition)
        return state ? [{ ...stepTo(state, Math.max(state.since, upTo)), denials }] : []
      })
      await advance(steps)
    },

    /** With the last rows, and the watermark: the whole journal is in. */
    finish: async (rows: JournalRow[]) => {
      const denials = denialsOf(rows)
      const steps = [...underway.values()].map((state) => ({
        ...stepTo(state, asOf),
        denials: denials.get(state.partition) ?? [],
        watermarkUntilMs: mayVouch ? state.redisNowMs + leaseMs : ('fallen' as const),
      }))
      await advance(steps)
    },
  }

  function stepTo({ partition, positionText, redisNowMs }: Underway, relayedUpTo: JournalTime): Step {
    const redisOffsetMs = Math.round(redisNowMs - clock.nowMs)
    return { partition, from: positionText, to: { ...names, relayedUpTo, redisOffsetMs, isByAcks: false } }
  }

  /** Of each partition underway, as far as it needs them. */
  function denialsOf(rows: JournalRow[]): Map<string, JournalRow[]> {
    const grouped = new Map<string, JournalRow[]>()
    for (const row of rows) {
      const state = underway.get(partitionOf(row.id))
      if (!state || row.createdAtMs < state.since - OVERLAP_MS) continue
      const group = grouped.get(state.partition)
      if (group) group.push(row)
      else grouped.set(state.partition, [row])
    }
    return grouped
  }

  async function advance(steps: Step[]): Promise<void> {
    if (steps.length === 0) return
    await own.reaching(async () => {
      const { reached, failure } = await watermarks.step(steps)
      for (const { partition, to, denials = [] } of steps) {
        const state = underway.get(partition)
        const positionText = reached.get(partition)
        if (state && positionText !== undefined) {
          underway.set(partition, { ...state, positionText, since: Math.max(state.since, to.relayedUpTo) })
          written += denials.length
        } else underway.delete(partition)
      }
      if (failure !== null && reached.size === 0) throw failure as Error
      if (failure !== null) deps.onFailure(failure)
      return reached
    })
  }
}
