// Keeps an eye on how Redis is set up: whether it may forget a denial, and what its restart would cost.
import type { SystemLog } from '../../ops/log.ts'
import { connectedRedis } from './connection/connected-redis.ts'
import type { RedisConnection } from './connection/redis-connection.ts'
import { redisFailure } from './redis-failure.ts'
import { readRedisFitness, type RedisFitness } from './redis-health.ts'

const INTERVAL_MS = 10_000
/** While it is unfit: somebody is about to do something about it. */
const UNFIT_INTERVAL_MS = 1000
const AGAIN_AFTER_MS = 60_000

const NOT_LOOKED = 'nobody has seen yet whether Redis evicts denials: it is looked at when it answers'

export interface RedisWatchDeps {
  connection: RedisConnection
  log: SystemLog
}

export interface RedisWatch {
  /**
   * The reason that it is unfit for a denylist, as one sentence; `null` when it was looked at and there is none. A look that
   * gets no answer leaves the last verdict as it is; before the first one nothing is fit.
   */
  unfit(): string | null
  stop(): void
}

/** Looks at once, on every connection, and every ten seconds; what is wrong is said once a minute. */
export function watchRedis({ connection, log }: RedisWatchDeps): RedisWatch {
  let verdict: string | null = NOT_LOOKED
  let isJudged = false
  let isPersistenceTold = false
  let toldAt = -Infinity
  let lookedAt = -Infinity
  let looks = 0
  const timer = setInterval(() => {
    if (verdict !== null || performance.now() - lookedAt >= INTERVAL_MS) look()
  }, UNFIT_INTERVAL_MS).unref()
  connection.onReady(look)
  look()

  return {
    unfit: () => verdict,
    stop: () => {
      clearInterval(timer)
    },
  }

  function look(): void {
    if (!connection.isReady) return
    lookedAt = performance.now()
    looks += 1
    const number = looks
    // An answer that was overtaken tells of an earlier moment, or of another server.
    readRedisFitness(connection).then(
      (fitness) => {
        if (number === looks) judge(fitness)
      },
      (error: unknown) => {
        if (number === looks) miss(error)
      },
    )
  }

  /** One that does not answer is the relay's to tell of. */
  function miss(error: unknown): void {
    if (isJudged) return
    verdict = `nobody has seen yet whether Redis evicts denials: ${redisFailure(error).sentence}`
  }

  function judge({ health, unfit }: RedisFitness): void {
    const before = isJudged ? verdict : null
    isJudged = true
    verdict = unfit
    tellVerdict(before, { health, unfit })
    tellPersistence(health)
  }

  function tellVerdict(before: string | null, { health, unfit }: RedisFitness): void {
    if (unfit === null) {
      if (before !== null) log.info('Redis is fit for the denylist again')
      return
    }
    if (unfit === before && performance.now() - toldAt < AGAIN_AFTER_MS) return
    toldAt = performance.now()
    log.error({ maxmemoryPolicy: health?.maxmemoryPolicy ?? null, version: health?.version ?? null }, unfit)
  }

  function tellPersistence(health: RedisFitness['health']): void {
    const isLost = health?.isPersistent === false
    if (isLost && !isPersistenceTold) {
      log.warn(
        'Redis keeps nothing on disk: whenever it restarts, every check asks Postgres until all denials are written again. "appendonly yes" spares that',
      )
    }
    isPersistenceTold = isLost
  }
}

/** An instance that starts serves without Redis rather than wait for it any longer. */
const START_TIMEOUT_MS = 3000

/**
 * Why the denylist cannot stand on the Redis at `redisUrl`, as one sentence that says what to do; `null` when it
 * can; a refusal to be looked at is such a reason. Rejects when it does not answer within some seconds.
 */
export async function redisUnfitness(redisUrl: string): Promise<string | null> {
  const connection = await connectedRedis(redisUrl, { timeoutMs: START_TIMEOUT_MS })
  try {
    const { unfit } = await readRedisFitness(connection)
    return unfit
  } finally {
    connection.close()
  }
}
