// Brings journal and denylist in line in both directions, trusting nothing that says that they are.
import type { Redis } from 'ioredis'
import { every, sleep, type Clock } from '../../clock.ts'
import { denialKey, PARTITIONS } from '../../contract/denylist-keys.ts'
import type { Instances } from '../postgres/instances.ts'
import type { HeardDenial, JournalMender } from '../postgres/journal-mender.ts'
import type { JournalReader } from '../postgres/journal-reader.ts'
import type { RedisConnection } from '../redis/connection/redis-connection.ts'
import type { PartitionState, Watermarks } from '../redis/watermarks.ts'
import { journalView, type JournalView } from './journal-view.ts'
import type { LeaderLock } from './leader-lock.ts'
import { ownPositions } from './own-positions.ts'
import { relayRound, type RelayRoundDeps } from './relay-round.ts'

export interface RebuildDeps {
  clock: Clock
  connection: RedisConnection
  watermarks: Watermarks
  journal: JournalReader
  mender: JournalMender
  instances: Instances
  /** Of this process, as `instances` registers it. */
  instanceId: string
  issuer: string
  lock: LeaderLock
  leaseMs: number
  leewaySeconds: number
  /** Told about once a second. */
  onProgress: (progress: RebuildProgress) => void
}

export type RebuildProgress =
  /** Denials of Redis that were looked for in the journal. */
  | { doing: 'mending'; looked: number; mended: number }
  /** `keys`: of all of Redis. */
  | { doing: 'writing'; keys: number; inSync: number }

export interface Rebuilt {
  /** Denials that Redis had and the journal lacked. */
  mended: number
  /** Whether this process wrote it, for want of a service that relays: then nobody renews the watermarks. */
  isByThisProcess: boolean
}

/** About as many keys as one command looks at. */
const SCAN_COUNT = 4000
const LOOK_EVERY_MS = 200
const TELL_EVERY_MS = 1000
/** A relay steps at least once a second; another one needs no more than the lock's time to take its place. */
const STANDSTILL_MS = 10_000

/**
 * Journals what Redis denies and the journal lacks, and then has all of the journal written to Redis anew. Nothing
 * is removed: a denial is a fact that only grows. Resolves when all partitions are in sync. Rejects with
 * `unavailable` for the journal, with the driver's error for Redis, and with an `Error` when a service holds the
 * relay's lock but writes nothing for ten seconds.
 *
 * It may be interrupted anywhere: the journal has everything, and no partition that lacks something has a
 * watermark, so until somebody has written it anew its checks are answered from Postgres.
 */
export async function rebuildDenylist(deps: RebuildDeps): Promise<Rebuilt> {
  // Without a journal to write it from, Redis as it is serves better than none.
  await deps.journal.clock()
  const mended = await mendFromRedis(deps)
  // From here on nobody believes Redis, whatever is wrong in it.
  await deps.watermarks.reset()
  return { mended, isByThisProcess: await writeAnew(deps) }
}

/** Resolves to the number of denials that the journal lacked. */
async function mendFromRedis({ clock, connection, mender, onProgress }: RebuildDeps): Promise<number> {
  let [looked, mended] = [0, 0]
  let toldAt = -Infinity
  for (const master of connection.masters()) {
    for await (const denials of denialsIn(master, connection)) {
      mended += (await mender.mend(denials)).length
      looked += denials.length
      if (clock.steadyMs() - toldAt < TELL_EVERY_MS) continue
      toldAt = clock.steadyMs()
      onProgress({ doing: 'mending', looked, mended })
    }
  }
  return mended
}

/** A session, one token of it, or a token of another service; everything else under these keys is no denial. */
const DENIAL_KEY = /^denylist:\{[0-9a-f]{2}\}:([0-9a-f]{64}|[0-9a-f-]{36}(?::[\w-]+)?)$/

async function* denialsIn(master: Redis, connection: RedisConnection): AsyncIterable<HeardDenial[]> {
  const { prefix, client } = connection
  let cursor = '0'
  do {
    const [next, keys] = await master.scan(cursor, 'MATCH', `${prefix}denylist:{*}:*`, 'COUNT', SCAN_COUNT)
    cursor = next
    const ids = keys.flatMap((key) => DENIAL_KEY.exec(key.slice(prefix.length))?.[1] ?? [])
    yield await withTtl(client, ids)
  } while (cursor !== '0')
}

async function withTtl(client: RedisConnection['client'], ids: string[]): Promise<HeardDenial[]> {
  const lasting = await Promise.all(ids.map(async (id) => ({ id, ttlMs: await client.pttl(denialKey(id)) })))
  return lasting.filter(({ ttlMs }) => ttlMs > 0)
}

/** By the service that relays, else by this process. Resolves to whether the latter had to. */
async function writeAnew(deps: RebuildDeps): Promise<boolean> {
  const { clock, connection, watermarks, lock, onProgress } = deps
  const view = journalView(deps)
  const ignore = (): undefined => undefined
  const own = ownPositions(connection)
  const rounds: RelayRoundDeps = { ...deps, own, view, onRound: ignore, onFailure: ignore }
  const standstill = standstillWatch(clock)
  let isByThisProcess = false

  const stopTelling = every(clock, TELL_EVERY_MS, () => {
    Promise.all([watermarks.read(), countKeys(connection)])
      .then(([states, keys]) => {
        onProgress({ doing: 'writing', keys, inSync: countInSync(states) })
      })
      .catch(ignore)
  })
  try {
    for (;;) {
      // Before the journal's clock: what Redis holds now is measured against what the journal says after that.
      const states = await watermarks.read()
      if (countInSync(states) === PARTITIONS.length) return isByThisProcess
      if (await lock.hold()) {
        isByThisProcess = true
        // As many as it takes: each goes on from where the one before it had to stop.
        await lock.during(async () => {
          await round({ ...deps, view }, rounds, states)
        })
      } else {
        isByThisProcess = false
        standstill(states)
        await sleep(clock, LOOK_EVERY_MS)
      }
    }
  } finally {
    stopTelling()
    // Otherwise both expire.
    if (isByThisProcess) await Promise.allSettled([lock.release(), deps.instances.leave()])
  }
}

async function round(
  deps: RebuildDeps & { view: JournalView },
  rounds: RelayRoundDeps,
  states: PartitionState[],
): Promise<void> {
  const askedAt = deps.clock.steadyMs()
  const clock = await deps.journal.clock()
  // Services believe a position of an instance that is registered.
  deps.view.note({ clock, askedAt, listed: await deps.instances.present() })
  await relayRound(rounds, { states, clock, mayVouch: true })
}

/** Of all masters. */
async function countKeys({ masters }: Pick<RedisConnection, 'masters'>): Promise<number> {
  const counts = await Promise.all(masters().map(async (master) => await master.dbsize()))
  return counts.reduce((total, count) => total + count, 0)
}

function countInSync(states: PartitionState[]): number {
  return states.filter(({ watermark }) => watermark !== null).length
}

/** Throws when nothing has moved for too long. */
function standstillWatch(clock: Clock): (states: PartitionState[]) => void {
  let last = ''
  let movedAt = clock.steadyMs()
  return (states) => {
    const now = clock.steadyMs()
    const positions = states.map(({ positionText }) => positionText).join()
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
