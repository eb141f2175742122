// Relays of several processes, by hand, between a real journal and a real Redis.
import { v7 as uuidv7 } from 'uuid'
import { denialKey, PARTITIONS, watermarkKey } from '../../../src/contract/denylist-keys.ts'
import { journalNameOf, parseWatermark } from '../../../src/store/redis/proof.ts'
import type { RedisConnection } from '../../../src/store/redis/connection/redis-connection.ts'
import { redisWatermarks, type Watermarks } from '../../../src/store/redis/watermarks.ts'
import { holes } from './holes.ts'
import { patientRedis } from './patient-redis.ts'
import { postgresStoreSubject, type PostgresStoreSubject } from './postgres-store-subject.ts'
import { testRedis, type TestRedis } from '../servers/redis.ts'
import { relaying, RIG_ISSUER, type Relaying } from './relaying.ts'

export interface RelayRig {
  redis: TestRedis
  /** Of the test itself; relays have it too. */
  connection: RedisConnection
  store: PostgresStoreSubject
  watermarks: Watermarks
  /** What one process of the service relays with. */
  relaying(): Relaying
  /** As its instances name it. */
  journalName(): Promise<string>
  /** Writes to the journal alone; resolves to the session. */
  denied(partition?: string): Promise<string>
  manyDenied(count: number, secondsAgo?: number): Promise<void>
  /** Makes the journal so old that a round does not read it again. */
  age(): Promise<void>
  isInRedis(sid: string): Promise<boolean>
  syncedCount(): Promise<number>
  /** Up to when the watermark says that the journal is in; 0 where there is none. */
  syncedUpTo(partition?: string): Promise<number>
  /** How long the watermark stands; below zero where there is none. */
  syncedMsLeft(partition?: string): Promise<number>
  /** Makes every watermark that stands fall after `ms`. */
  shorten(ms: number): Promise<void>
  /** What is missing in Redis under a watermark. */
  missing(): Promise<string[]>
  /** To an empty Redis and an empty journal. */
  reset(): Promise<void>
  close(): Promise<void>
}

export { RIG_LEASE_MS, RIG_ISSUER, type Relaying } from './relaying.ts'

export function sidIn(partition: string): string {
  return `${uuidv7().slice(0, -2)}${partition}`
}

export async function relayRig(): Promise<RelayRig> {
  const [redis, store] = await Promise.all([testRedis(), postgresStoreSubject()])
  const connection = await patientRedis(redis.url)
  const { database } = store
  let relays = 0

  return {
    redis,
    connection,
    store,
    watermarks: redisWatermarks({ connection, partitions: PARTITIONS, nonce: 'rig-' }),
    relaying: () => relaying({ connection, store, nonce: `relay-${(relays += 1)}-` }),
    journalName: async () => journalNameOf((await store.journal.clock()).databaseId, RIG_ISSUER),
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
    syncedUpTo: async (partition = '0a') =>
      parseWatermark(await redis.client.get(watermarkKey(partition)))?.relayedUpTo ?? 0,
    syncedMsLeft: async (partition = '0a') => await redis.client.pttl(watermarkKey(partition)),
    shorten: async (ms) => {
      await Promise.all(
        PARTITIONS.map(async (partition) => await redis.client.pexpire(watermarkKey(partition), ms)),
      )
    },
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
