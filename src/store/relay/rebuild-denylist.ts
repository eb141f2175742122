// Writes the denylist in Redis anew from the journal, trusting nothing that is in there.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { PARTITIONS, watermarkKey } from '../../contract/denylist-keys.ts'
import { positionKey, type Watermarks, type PartitionState } from '../redis/watermarks.ts'
import type { JournalReader } from '../postgres/journal-reader.ts'
import type { RedisConnection } from '../redis/connection/redis-connection.ts'
import type { LeaderLock } from './leader-lock.ts'
import { relayer } from './relay-round.ts'

export interface RebuildDeps {
  connection: RedisConnection
  partitions: Watermarks
  journal: JournalReader
  /** Of an instance id of this process's own. */
  lock: LeaderLock
  leaseMs: number
  /** Told about once a second. */
  onProgress: (progress: RebuildProgress) => void
}

export type RebuildProgress =
  | { doing: 'removing'; removed: number }
  /** `keys`: of all of Redis. */
  | { doing: 'writing'; keys: number; inSync: number }

export interface Rebuilt {
  /** Keys; those that a relay wrote meanwhile may be among them. */
  removed: number
  /** Whether this process wrote it, for want of a service that relays: then nobody renews the watermarks. */
  isByThisProcess: boolean
}

/** About as many keys as one command looks at, and as are removed before the next is sent. */
const SCAN_COUNT = 4000
const LOOK_EVERY_MS = 200
const TELL_EVERY_MS = 1000
/** A relay steps at least once a second; who takes its place needs no more than the lock's time. */
const STANDSTILL_MS = 10_000

/**
 * Resolves when all partitions are in sync. Rejects with `unavailable` for the journal, with the driver's error
 * for Redis, and with an `Error` when a service holds the relay's lock but writes nothing for ten seconds.
 *
 * It may be interrupted anywhere: the journal has everything, and no partition that lacks something has a
 * watermark, so until somebody has written it anew its checks are answered from Postgres.
 */
export async function rebuildDenylist(deps: RebuildDeps): Promise<Rebuilt> {
  // Without a journal to write it from, Redis as it is serves better than none.
  await deps.journal.clock()
  // From here on nobody believes Redis, neither what is wrong in it nor what is half removed.
  await deps.partitions.reset()
  const removed = await removeAll(deps)
  return { removed, isByThisProcess: await writeAnew(deps) }
}

/** Resolves to the number of keys removed. Those of instances and of guesses are left alone. */
async function removeAll({ connection, onProgress }: RebuildDeps): Promise<number> {
  let removed = 0
  let toldAt = -Infinity
  for (const master of connection.masters()) {
    for await (const keys of denylistKeys(master)) {
      const counts = await Promise.all(
        [...byPartition(keys)].map(async ([partition, inPartition]) => {
          // In the same command, since a relay may have brought the partition in sync meanwhile.
          const marks = [watermarkKey(partition), positionKey(partition)]
          return await connection.client.unlink(...marks, ...inPartition)
        }),
      )
      for (const count of counts) removed += count
      if (performance.now() - toldAt < TELL_EVERY_MS) continue
      toldAt = performance.now()
      onProgress({ doing: 'removing', removed })
    }
  }
  return removed
}

async function* denylistKeys(master: Redis): AsyncIterable<string[]> {
  let cursor = '0'
  do {
    const [next, keys] = await master.scan(cursor, 'MATCH', 'denylist:{*}:*', 'COUNT', SCAN_COUNT)
    yield keys
    cursor = next
  } while (cursor !== '0')
}

function byPartition(keys: string[]): Map<string, string[]> {
  const marks = new Set(PARTITIONS.flatMap((partition) => [watermarkKey(partition), positionKey(partition)]))
  const grouped = new Map<string, string[]>()
  for (const key of keys) {
    const partition = /^denylist:\{([0-9a-f]{2})\}:/.exec(key)?.[1]
    if (partition === undefined || marks.has(key)) continue
    const group = grouped.get(partition)
    if (group) group.push(key)
    else grouped.set(partition, [key])
  }
  return grouped
}

/** By the service that relays, else by this process. Resolves to whether the latter had to. */
async function writeAnew(deps: RebuildDeps): Promise<boolean> {
  const { connection, partitions, journal, lock, leaseMs, onProgress } = deps
  const tell = async (states: PartitionState[]): Promise<void> => {
    onProgress({ doing: 'writing', keys: await countKeys(connection), inSync: countInSync(states) })
  }
  const ignore = (): undefined => undefined
  const rounds = relayer({ connection, partitions, journal, leaseMs, onRound: ignore, onFailure: ignore })
  const standstill = standstillWatch()
  let isByThisProcess = false

  const telling = setInterval(() => {
    partitions
      .read()
      .then(tell)
      .catch(() => undefined)
  }, TELL_EVERY_MS)
  try {
    for (;;) {
      // Before the journal's clock: what Redis holds now is measured against what the journal says after that.
      const states = await partitions.read()
      if (countInSync(states) === PARTITIONS.length) return isByThisProcess
      if (await lock.hold()) {
        isByThisProcess = true
        // As many as it takes: each goes on from where the one before it had to stop.
        await lock.during(async () => {
          await rounds.round(states, (await journal.clock()).settledUpTo)
        })
      } else {
        isByThisProcess = false
        standstill(states)
        await sleep(LOOK_EVERY_MS)
      }
    }
  } finally {
    clearInterval(telling)
    // Else it expires.
    if (isByThisProcess) await lock.release().catch(() => undefined)
  }
}

/** Of all masters. */
async function countKeys({ masters }: Pick<RedisConnection, 'masters'>): Promise<number> {
  const counts = await Promise.all(masters().map(async (master) => await master.dbsize()))
  return counts.reduce((total, count) => total + count, 0)
}

function countInSync(states: PartitionState[]): number {
  return states.filter(({ isSynced }) => isSynced).length
}

/** Throws when nothing has moved for too long. */
function standstillWatch(): (states: PartitionState[]) => void {
  let last = ''
  let movedAt = performance.now()
  return (states) => {
    const now = performance.now()
    const positions = states.map(({ position }) => position).join()
    if (positions !== last) {
      last = positions
      movedAt = now
    } else if (now - movedAt > STANDSTILL_MS) {
      throw new Error(
        `a service holds the lock of the relay, but has written nothing to Redis for ${STANDSTILL_MS / 1000} s: see its log. Until Redis is in sync, every check asks Postgres`,
      )
    }
  }
}
