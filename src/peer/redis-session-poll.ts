// Asks Redis once a second which of the watched sessions are over.
import { partitionOf } from '../contract/denylist-keys.ts'
import { repeat } from './background.ts'
import type { SessionEndHandler, UnknownPolicy } from './denylist.ts'
import { currentMoment, secondsBetween, type Moment } from './two-clocks.ts'
import { sessionWatchers } from './session-watchers.ts'

/** Whether each of some ids of one partition is denied; `isSynced`: all those that are not denied are known not to be. */
export interface PartitionAnswer {
  isSynced: boolean
  isDenied: boolean[]
}

export interface RedisSessionPoll {
  /** Throws a `RangeError` when too many sessions are watched. */
  watch: (sid: string, handler: SessionEndHandler) => () => void
  close: () => void
}

export interface RedisSessionPollDeps {
  ask: (partition: string, sids: string[]) => Promise<PartitionAnswer | null>
  onUnknown: UnknownPolicy
  onError: (error: Error) => void
}

const POLL_MS = 1_000
const MAX_SESSIONS = 10_000
const MAX_BATCH = 256
const PARALLEL_BATCHES = 16
/** With `onUnknown: 'deny'`, a session of which nothing is known for so long counts as over. */
const PATIENCE_SECONDS = 3
/** With either: a denial lives at least as long as an access token, and may have come and gone after that. */
const COVERS_SECONDS = 60

export function redisSessionPoll({ ask, onUnknown, onError }: RedisSessionPollDeps): RedisSessionPoll {
  const watchers = sessionWatchers(onError)
  const patienceSeconds = onUnknown === 'deny' ? PATIENCE_SECONDS : COVERS_SECONDS
  let knownAt = new Map<string, Moment>()
  let isPolling = false

  const stop = repeat(POLL_MS, () => {
    if (isPolling) return
    isPolling = true
    void poll().finally(() => {
      isPolling = false
    })
  })

  return {
    watch(sid, handler) {
      if (watchers.size >= MAX_SESSIONS) throw new RangeError(`${MAX_SESSIONS} sessions are watched already`)
      if (!knownAt.has(sid)) knownAt.set(sid, currentMoment())
      return watchers.add(sid, handler)
    },
    close() {
      stop()
      watchers.clear()
    },
  }

  async function poll(): Promise<void> {
    giveUp()
    const batches = batchesOf(watchers.sids())
    while (batches.length > 0) {
      await Promise.all(batches.splice(0, PARALLEL_BATCHES).map(pollBatch))
    }
    giveUp()
    // A session that is watched no longer is forgotten here.
    knownAt = new Map([...watchers.sids()].map((sid) => [sid, knownAt.get(sid) ?? currentMoment()]))
  }

  async function pollBatch({ partition, sids }: Batch): Promise<void> {
    const askedAt = currentMoment()
    const answer = await ask(partition, sids)
    sids.forEach((sid, index) => {
      if (answer?.isDenied[index]) watchers.end(sid, 'token_denied')
      else if (answer?.isSynced) knownAt.set(sid, askedAt)
    })
  }

  function giveUp(): void {
    const now = currentMoment()
    for (const sid of [...watchers.sids()]) {
      const since = knownAt.get(sid)
      if (since && secondsBetween(since, now) > patienceSeconds) watchers.end(sid, 'denylist_unknown')
    }
  }
}

interface Batch {
  partition: string
  sids: string[]
}

/** Each of one partition: its keys have to be in one slot of Redis Cluster. */
function batchesOf(sids: Iterable<string>): Batch[] {
  const partitions = new Map<string, string[]>()
  for (const sid of sids) {
    const partition = partitionOf(sid)
    const known = partitions.get(partition)
    if (known) known.push(sid)
    else partitions.set(partition, [sid])
  }
  return [...partitions].flatMap(([partition, all]) =>
    Array.from({ length: Math.ceil(all.length / MAX_BATCH) }, (_, index) => ({
      partition,
      sids: all.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH),
    })),
  )
}
