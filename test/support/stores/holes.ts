// Where Redis says that it holds all that the journal denies, and does not.
import { denialKey, partitionOf, PARTITIONS, watermarkKey } from '../../../src/contract/denylist-keys.ts'
import { parseWatermark } from '../../../src/store/redis/proof.ts'
import type { TestDatabase } from '../servers/postgres.ts'
import type { TestRedis } from '../servers/redis.ts'

/** The denials that are missing under a watermark of a later time than theirs. */
export async function holes(database: TestDatabase, redis: TestRedis): Promise<string[]> {
  const rows = await database.sql<{ id: string; createdAtMs: number }>(
    `SELECT denied_id AS id, (extract(epoch FROM created_at) * 1000)::float8 AS "createdAtMs"
     FROM revocations WHERE expires_at > now()`,
  )
  // One question, or what is written meanwhile would seem to be missing.
  const answers = await redis.client.mget([
    ...PARTITIONS.map(watermarkKey),
    ...rows.map(({ id }) => denialKey(id)),
  ])
  const syncedUpTo = new Map(
    PARTITIONS.map((partition, i) => [partition, parseWatermark(answers[i] ?? null)?.relayedUpTo ?? 0]),
  )
  return rows
    .filter(({ id, createdAtMs }, i) => {
      const isThere = answers[PARTITIONS.length + i] !== null
      return !isThere && createdAtMs < (syncedUpTo.get(partitionOf(id)) ?? 0)
    })
    .map(({ id }) => id)
}
