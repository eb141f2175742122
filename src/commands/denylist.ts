// signoff denylist status|rebuild: how Redis stands to the journal, and Redis written anew from it.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { systemClock } from '../clock.ts'
import { PARTITIONS } from '../contract/denylist-keys.ts'
import type { Config } from '../config.ts'
import { silentLog } from '../ops/log.ts'
import { connectedRedis } from '../store/redis/connection/connected-redis.ts'
import { rebuildDenylist, type RebuildProgress } from '../store/relay/rebuild-denylist.ts'
import { readJournalSide, readLeader, readRedisSide } from '../store/relay/denylist-status.ts'
import { journalReader } from '../store/postgres/journal-reader.ts'
import { instances } from '../store/postgres/instances.ts'
import { journalMender } from '../store/postgres/journal-mender.ts'
import { locks } from '../store/postgres/locks.ts'
import { redisWatermarks, type Watermarks } from '../store/redis/watermarks.ts'
import { postgres, type Postgres } from '../store/postgres/postgres.ts'
import type { RedisConnection } from '../store/redis/connection/redis-connection.ts'
import { leaderLock } from '../store/relay/leader-lock.ts'
import { storeUrlsOf, type StoreUrls } from './database.ts'
import { isInLine, settled, statusDocument, statusLines, type DenylistStatus } from './denylist-status.ts'
import { print, type Output } from './output.ts'

/** Counting many millions of denials takes a while. */
const STATUS_TIMEOUT_MS = 10_000

/** Prints what can be told; rejects afterwards when Redis is not in sync, or a store does not answer. */
export async function denylistStatus(config: Config, output: Output): Promise<void> {
  const status = await readStatus(config, await storeUrlsOf(config))
  print(output, statusLines(status), statusDocument(status))
  const { found } = status.redis
  if (found?.unfit) throw new Error(found.unfit)
  if (!isInLine(status)) throw new Error('Redis is not known to agree with the journal')
}

async function readStatus(config: Config, { databaseUrl, redisUrl }: StoreUrls): Promise<DenylistStatus> {
  const redis = await settled(async () => {
    const connection = await connectedRedis(redisUrl, { prefix: config.REDIS_PREFIX })
    try {
      return await readRedisSide(connection, watermarksOf(connection))
    } finally {
      connection.close()
    }
  })
  // After Redis, so that no watermark is younger than Postgres's clock.
  const positions = redis.found?.states.map(({ position }) => position?.relayedUpTo ?? 0) ?? []
  const journal = await settled(
    async () =>
      await withPostgres({ databaseUrl, timeoutMs: STATUS_TIMEOUT_MS }, async (database) => {
        return await readJournalSide(database, Math.min(...positions))
      }),
  )
  return { issuer: config.ISSUER, redis, journal }
}

/** Writes Redis anew; says on standard error how far it is. */
export async function denylistRebuild(config: Config, output: Output): Promise<void> {
  const { databaseUrl, redisUrl } = await storeUrlsOf(config)
  const connection = await connectedRedis(redisUrl, { prefix: config.REDIS_PREFIX })
  try {
    await withPostgres({ databaseUrl }, async (database) => {
      await rebuild(config, { database, connection }, output)
    })
  } finally {
    connection.close()
  }
}

function watermarksOf(connection: RedisConnection): Watermarks {
  return redisWatermarks({ connection, partitions: PARTITIONS, nonce: randomUUID() })
}

async function rebuild(
  { DENYLIST_LEASE, ISSUER, LEEWAY }: Config,
  { database, connection }: { database: Postgres; connection: RedisConnection },
  output: Output,
): Promise<void> {
  const startedAt = performance.now()
  const instanceId = randomUUID()
  const { mended, isByThisProcess } = await rebuildDenylist({
    clock: systemClock,
    connection,
    watermarks: watermarksOf(connection),
    journal: journalReader(database),
    mender: journalMender(database),
    instances: instances(database, { id: instanceId, name: `${hostname()}:${process.pid}` }),
    instanceId,
    issuer: ISSUER,
    lock: leaderLock(locks(database, instanceId), systemClock),
    leaseMs: DENYLIST_LEASE * 1000,
    leewaySeconds: LEEWAY,
    onProgress: tellProgress,
  })
  const seconds = Math.round((performance.now() - startedAt) / 100) / 10
  const relayedBy = isByThisProcess ? null : await readLeader(database)
  const lines = [
    `written anew in ${seconds} s${relayedBy === null ? '' : ` by ${relayedBy}`}: ${PARTITIONS.length} of ${PARTITIONS.length} partitions in sync`,
  ]
  if (isByThisProcess) {
    lines.push(
      `No service relays: nobody renews the watermarks, which fall after ${DENYLIST_LEASE} s. The next one that starts goes on from here.`,
    )
  }
  if (mended > 0)
    lines.unshift(`${mended} denials that Redis had and the journal lacked were journaled again`)
  print(output, lines, {
    journaled_again: mended,
    seconds,
    relayed_by: relayedBy,
    is_renewed: !isByThisProcess,
  })
}

function tellProgress(progress: RebuildProgress): void {
  const line =
    progress.doing === 'mending'
      ? `looking for what is in Redis in the journal: ${progress.looked} denials so far, ${progress.mended} were missing`
      : `writing: ${progress.inSync} of ${PARTITIONS.length} partitions in sync, ${progress.keys} keys in Redis`
  process.stderr.write(`${line}\n`)
}

async function withPostgres<T>(
  options: { databaseUrl: string; timeoutMs?: number },
  work: (database: Postgres) => Promise<T>,
): Promise<T> {
  const { databaseUrl, ...bounds } = options
  const database = postgres({ url: databaseUrl, log: silentLog, ...bounds })
  try {
    return await work(database)
  } finally {
    await database.close()
  }
}
