// Relayers of several processes, by hand, between a real journal and a real Redis.
import { v7 as uuidv7 } from 'uuid'
import { denialKey, PARTITIONS, watermarkKey } from '../../src/contract/denylist-keys.ts'
import { redisWatermarks, type Watermarks } from '../../src/store/redis/watermarks.ts'
import type { RedisConnection } from '../../src/store/redis/connection/redis-connection.ts'
import type { RoundProgress } from '../../src/store/relay/relay-replay.ts'
import { relayer, type Relayer } from '../../src/store/relay/relay-round.ts'
import { connectedRedis } from '../../src/store/redis/connection/connected-redis.ts'
import { holes } from './holes.ts'
import { hookedJournal, type JournalHooks } from './hooked-journal.ts'
import { postgresStoreSubject, type PostgresStoreSubject } from './postgres-store-subject.ts'
import { testRedis, type TestRedis } from './redis.ts'

export interface Relaying {
  relayer: Relayer
  hooks: JournalHooks
  told: RoundProgress[]
  /** Reads where Redis and the journal stand, and does a round; resolves to how many denials it wrote. */
  round(): Promise<number>
  extend(knownMsAgo: number): Promise<void>
}

export interface RelayRig {
  redis: TestRedis
  store: PostgresStoreSubject
  partitions: Watermarks
  /** What one process of the service relays with. */
  relaying(): Relaying
  /** Writes to the journal alone; resolves to the session. */
  denied(partition?: string): Promise<string>
  manyDenied(count: number, secondsAgo?: number): Promise<void>
  /** Makes the journal so old that a round does not read it again. */
  age(): Promise<void>
  isInRedis(sid: string): Promise<boolean>
  syncedCount(): Promise<number>
  /** How long the watermark stands; below zero where there is none. */
  syncedMsLeft(partition?: string): Promise<number>
  /** What is missing in Redis under a watermark. */
  missing(): Promise<string[]>
  /** To an empty Redis and an empty journal. */
  reset(): Promise<void>
  close(): Promise<void>
}

export const RIG_LEASE_MS = 60_000

export function sidIn(partition: string): string {
  return `${uuidv7().slice(0, -2)}${partition}`
}

export async function relayRig(): Promise<RelayRig> {
  const [redis, store] = await Promise.all([testRedis(), postgresStoreSubject()])
  const connection = await connectedRedis(redis.url)
  const { database } = store

  return {
    redis,
    store,
    partitions: redisWatermarks(connection),
    relaying: () => relaying(connection, store),
    denied: async (partition = '0a') => {
      const sid = sidIn(partition)
      await store.deny(sid, 3_600_000)
      return sid
    },
    manyDenied: async (count, secondsAgo = 0) => {
      await database.sql(
        `INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
         SELECT gen_random_uuid()::text, '00', 'logout', now() - $2::float8 * interval '1 second',
                now() + interval '1 hour' FROM generate_series(1, $1::int)`,
        [count, secondsAgo],
      )
    },
    age: async () => {
      await database.sql(`UPDATE revocations SET created_at = created_at - interval '1 hour'`)
    },
    isInRedis: async (sid) => (await redis.client.exists(denialKey(sid))) === 1,
    syncedCount: async () => await redis.client.exists(PARTITIONS.map(watermarkKey)),
    syncedMsLeft: async (partition = '0a') => await redis.client.pttl(watermarkKey(partition)),
    missing: async () => await holes(store.database, redis),
    reset: async () => {
      await redis.client.config('SET', 'maxmemory', '0')
      await Promise.all([redis.client.flushall(), database.sql('TRUNCATE revocations')])
    },
    close: async () => {
      connection.close()
      await Promise.all([redis.remove(), store.close()])
    },
  }
}

function relaying(connection: RedisConnection, { journal }: PostgresStoreSubject): Relaying {
  const hooks: JournalHooks = {}
  const told: RoundProgress[] = []
  const partitions = redisWatermarks(connection)
  const rounds = relayer({
    connection,
    partitions,
    journal: hookedJournal(journal, hooks),
    leaseMs: RIG_LEASE_MS,
    onRound: (progress) => told.push(progress),
    onFailure: () => undefined,
  })
  return {
    relayer: rounds,
    hooks,
    told,
    round: async () => {
      const states = await partitions.read()
      const { settledUpTo } = await journal.clock()
      await rounds.round(states, settledUpTo)
      return told.at(-1)?.written ?? NaN
    },
    extend: async (knownMsAgo) => {
      await rounds.extend(await partitions.read(), knownMsAgo)
    },
  }
}
