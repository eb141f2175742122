// Opens the denylist: Redis, the relay that keeps it in line with the journal, and what is told of both.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Denylist } from '../../auth/ports/denials.ts'
import type { SystemLog } from '../../ops/log.ts'
import type { Metrics } from '../../ops/metrics.ts'
import { instanceAcks } from '../redis/instance-acks.ts'
import { failureLog } from './failure-log.ts'
import type { Instances } from '../postgres/instances.ts'
import type { JournalReader } from '../postgres/journal-reader.ts'
import type { Locks } from '../postgres/locks.ts'
import { redisWatermarks } from '../redis/watermarks.ts'
import type { RedisConnection } from '../redis/connection/redis-connection.ts'
import { redisDenylist } from '../redis/redis-denylist.ts'
import { watchRedis } from '../redis/redis-watch.ts'
import { connectRedis } from '../redis/connection/connect-redis.ts'
import { leaderLock } from './leader-lock.ts'
import type { RoundProgress } from './relay-replay.ts'
import { relayer } from './relay-round.ts'
import { relayTick } from './relay-tick.ts'
import { startRelay } from './relay.ts'
import { trustReport } from './trust-report.ts'

const OUT_OF_LINE = 'not in sync with the journal, which is asked instead'
const UNKNOWN_TO_OTHERS =
  'in sync, but Postgres has not told the others of this instance: a logout that Redis does not take is answered 503'
const OUT_OF_MEMORY = 'out of memory: logouts are kept by Postgres alone until it has room (raise maxmemory)'
const CLOSE_PATIENCE_MS = 2000

export interface DenylistOptions {
  redisUrl: string
  leaseSeconds: number
  /** Then a Redis that may forget is not believed. */
  isProduction: boolean
  instanceId: string
  journal: JournalReader
  locks: Locks
  instances: Instances
  log: SystemLog
  metrics: Metrics
}

export interface OpenDenylist {
  denylist: Denylist
  connection: RedisConnection
  readiness(): Record<string, string>
  close(): Promise<void>
}

export function openDenylist(options: DenylistOptions): OpenDenylist {
  const { redisUrl, leaseSeconds, isProduction, instanceId, journal, log, metrics } = options
  const failures = failureLog(log)
  const connection = connectRedis(redisUrl, failures.note)
  const onFailure = (error: unknown): void => {
    // Of a connection that ended, it tells itself.
    if (connection.isReady) failures.note(error)
  }
  const denylist = redisDenylist({
    connection,
    onWriteFailure: (error) => {
      metrics.denialNotWritten()
      onFailure(error)
      trust.lose()
    },
  })
  const watch = watchRedis({ connection, log })
  const trust = trustReport({ denylist, log, metrics })
  connection.onLoss(trust.lose)

  const partitions = redisWatermarks(connection)
  const leaseMs = leaseSeconds * 1000
  const onRound = rebuildLog(log)
  const tick = relayTick({
    ...options,
    lock: leaderLock(options.locks),
    denylist,
    partitions,
    clean: instanceAcks(connection, instanceId),
    relayer: relayer({ connection, partitions, journal, leaseMs, onRound, onFailure }),
    // Without a watermark nobody believes it.
    mayRelay: () => !(isProduction && watch.unfit() !== null),
    onTick: trust.note,
    onFailure,
  })
  const relay = startRelay({ connection, relayTick: tick, onFailure })

  const redisReadiness = (): string => {
    if (!connection.isReady) return 'not connected'
    return watch.unfit() ?? (failures.isFull() ? OUT_OF_MEMORY : 'ok')
  }
  const denylistReadiness = (): string => {
    if (!trust.isTrusted()) return OUT_OF_LINE
    return denylist.isKnown ? 'ok' : UNKNOWN_TO_OTHERS
  }
  return {
    denylist,
    connection,
    readiness: () => ({
      redis: redisReadiness(),
      denylist: denylistReadiness(),
    }),
    close: async () => {
      watch.stop()
      // A long round is not waited for: without a connection it comes to an end.
      await Promise.race([relay.stop(), sleep(CLOSE_PATIENCE_MS, null, { ref: false })])
      connection.close()
    },
  }
}

/** Rounds of this many denials are worth a line. */
const MANY = 1000
const PROGRESS_EVERY_MS = 1000

/** Progress of a round that takes long, and its end. */
function rebuildLog(log: SystemLog) {
  let toldAt = performance.now()
  return ({ written, seconds, isOver }: RoundProgress): void => {
    const now = performance.now()
    if (written < MANY || (!isOver && now - toldAt < PROGRESS_EVERY_MS)) return
    toldAt = now
    const said = isOver
      ? 'denials were written to Redis from the journal'
      : 'writing denials to Redis from the journal'
    log.info({ written, seconds: Math.round(seconds * 10) / 10 }, said)
  }
}
