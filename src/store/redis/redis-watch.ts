// Keeps an eye on how Redis is set up: whether it may forget a denial, and what its restart would cost.
import type { SystemLog } from '../../ops/log.ts'
import { connectedRedis } from './connection/connected-redis.ts'
import type { RedisConnection } from './connection/redis-connection.ts'
import { readRedisHealth, unfitness, type RedisHealth } from './redis-health.ts'

const INTERVAL_MS = 60_000
/** While it is unfit: somebody is about to do something about it. */
const UNFIT_INTERVAL_MS = 1000

export interface RedisWatchDeps {
  connection: RedisConnection
  log: SystemLog
}

export interface RedisWatch {
  /** What makes it unfit for a denylist, as one sentence; `null` when nothing does, or nothing is known yet. */
  unfit(): string | null
  stop(): void
}

/** Looks at once, on every connection, and once a minute; what is wrong is said as often. */
export function watchRedis({ connection, log }: RedisWatchDeps): RedisWatch {
  let unfit: string | null = null
  let isPersistenceTold = false
  let toldAt = -Infinity
  let lookedAt = -Infinity
  const timer = setInterval(() => {
    if (unfit !== null || performance.now() - lookedAt >= INTERVAL_MS) look()
  }, UNFIT_INTERVAL_MS).unref()
  connection.onReady(look)
  if (connection.isReady) look()

  return {
    unfit: () => unfit,
    stop: () => {
      clearInterval(timer)
    },
  }

  function look(): void {
    lookedAt = performance.now()
    // One that does not answer is the relay's to tell of.
    readRedisHealth(connection).then(judge, () => undefined)
  }

  function judge(health: RedisHealth): void {
    const before = unfit
    unfit = unfitness(health)
    if (unfit === null && before !== null) log.info('Redis is fit for the denylist again')
    if (unfit !== null && (unfit !== before || performance.now() - toldAt >= INTERVAL_MS)) {
      toldAt = performance.now()
      log.error({ maxmemoryPolicy: health.maxmemoryPolicy, version: health.version }, unfit)
    }
    if (health.isPersistent === false && !isPersistenceTold) {
      log.warn(
        'Redis keeps nothing on disk: whenever it restarts, every check asks Postgres until all denials are written again. "appendonly yes" spares that',
      )
    }
    isPersistenceTold = health.isPersistent === false
  }
}

/**
 * Why the denylist cannot stand on the Redis at `redisUrl`, as one sentence that says what to do; `null` when it
 * can. Rejects when it does not answer within some seconds.
 */
export async function redisUnfitness(redisUrl: string): Promise<string | null> {
  const connection = await connectedRedis(redisUrl)
  try {
    return unfitness(await readRedisHealth(connection))
  } finally {
    connection.close()
  }
}
