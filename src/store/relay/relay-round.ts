// One round of the relay: what the journal has and Redis lacks is written, and each partition says so.
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { PartitionState, Step } from '../redis/watermarks.ts'
import type { RedisConnection } from '../redis/connection/redis-connection.ts'
import { replay, stepFrom, takeAll, type ReplayDeps } from './relay-replay.ts'

export interface RelayerDeps extends ReplayDeps {
  connection: Pick<RedisConnection, 'onLoss'>
  leaseMs: number
}

export interface Relayer {
  /**
   * Brings Redis up to what the journal says now. `states` must have been read before `settledUpTo` was.
   * Watermarks that are far behind come last, and get no further than a second or so allows: the next round
   * goes on from there. One that fails, or was emptied or rolled back in the middle, is left to the next round,
   * too. Rejects with `unavailable` for the journal; with the driver's error where Redis took no step at all.
   */
  round(states: PartitionState[], settledUpTo: JournalTime): Promise<void>
  /**
   * Without the journal: lets watermarks stand for longer where nothing has changed since this relayer was
   * there last. `knownMsAgo`: how long ago everything acknowledged was known to be in Redis.
   */
  extend(states: PartitionState[], knownMsAgo: number): Promise<void>
  /** What was written last may be gone: nothing is extended, or taken as written, before the next round. */
  forget(): void
}

/** Those that are further behind have lost what they had, or nobody relayed for a while. */
const FAR_BEHIND_MS = 60_000
/** For those: the others are renewed in between, well before their watermarks fall. */
const BUDGET_MS = 1500

export function relayer(deps: RelayerDeps): Relayer {
  const { leaseMs } = deps
  /** The last position of each partition that this relayer has reached by itself. */
  const mine = new Map<string, string>()
  /** The newest rows of the last round, by `seq`: the partitions in `mine` have them. */
  let known: ReadonlySet<string> = new Set()
  let losses = 0
  deps.connection.onLoss(forget)

  function forget(): void {
    losses += 1
    mine.clear()
  }

  const isMine = ({ partition, position }: PartitionState): boolean => mine.get(partition) === position

  /** Takes the positions that `work` resolves to for its own, unless what it wrote may be gone again. */
  async function reaching(states: PartitionState[], work: () => Promise<Map<string, string>>): Promise<void> {
    const lossesBefore = losses
    for (const { partition } of states) mine.delete(partition)
    const reached = await work()
    if (losses === lossesBefore) for (const [partition, position] of reached) mine.set(partition, position)
  }

  async function bring(states: PartitionState[], asOf: JournalTime, budgetMs: number): Promise<void> {
    // Of those far behind none has what the others just got.
    const hasKnown = (state: PartitionState): boolean => budgetMs === Infinity && isMine(state)
    const underway = new Map(
      states.map((state) => [state.partition, { ...state, hasKnown: hasKnown(state) }]),
    )
    let failure: unknown
    await reaching(states, async () => {
      try {
        const { seen, isComplete } = await replay(deps, { underway, known, asOf, budgetMs })
        if (!isComplete) return new Map()
        if (budgetMs === Infinity || mine.size === 0) known = seen
        return await takeAll(deps, lastSteps([...underway.values()], { asOf, leaseMs }))
      } catch (error) {
        // Without the journal there is no end to this round, but the watermarks can be extended.
        failure = error
        return positionsOf([...underway.values()].filter((state) => state.hasKnown))
      }
    })
    if (failure !== undefined) throw failure as Error
  }

  return {
    round: async (states, settledUpTo) => {
      const asOf = Math.floor(settledUpTo)
      const isFar = ({ relayedUpTo }: PartitionState): boolean => relayedUpTo < asOf - FAR_BEHIND_MS
      const near = states.filter((state) => !isFar(state))
      const far = states.filter(isFar)
      if (near.length > 0) await bring(near, asOf, Infinity)
      if (far.length > 0) await bring(far, asOf, BUDGET_MS)
    },

    extend: async (states, knownMsAgo) => {
      if (knownMsAgo >= leaseMs) return
      const standing = states.filter((state) => state.isSynced && isMine(state))
      mine.clear()
      await reaching(standing, async () => {
        const steps = standing.map((state) => ({
          ...stepFrom(state),
          syncedUntilMs: state.redisNowMs + leaseMs - knownMsAgo,
          isByWord: true as const,
        }))
        return await takeAll(deps, steps)
      })
    },

    forget,
  }
}

/** The ones with which a round ends: the whole journal is in. */
function lastSteps(
  states: PartitionState[],
  { asOf, leaseMs }: { asOf: JournalTime; leaseMs: number },
): Step[] {
  return states.map((state) => ({
    ...stepFrom(state),
    relayedUpTo: asOf,
    syncedUntilMs: state.redisNowMs + leaseMs,
  }))
}

function positionsOf(states: PartitionState[]): Map<string, string> {
  return new Map(states.map(({ partition, position }) => [partition, position]))
}
