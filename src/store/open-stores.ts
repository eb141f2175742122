// Opens Postgres and Redis and hands out the ports that stand on them.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { OwnAccount, UserAdmin, Usernames, Users } from '../auth/ports/accounts.ts'
import type { AttemptCounters } from '../auth/ports/attempts.ts'
import type { DenialFeed, Denylist, Journal } from '../auth/ports/denials.ts'
import type { AuditLog, EventType, LogEntry } from '../auth/ports/log.ts'
import type { Peers } from '../auth/ports/peers.ts'
import type { Sessions } from '../auth/ports/sessions.ts'
import { systemClock } from '../clock.ts'
import { PARTITIONS } from '../contract/denylist-keys.ts'
import type { SystemLog } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import { WAIT_MS } from './redis/announcements.ts'
import { connectRedis } from './redis/connection/connect-redis.ts'
import { COMMAND_TIMEOUT_MS } from './redis/connection/redis-connection.ts'
import { watchRedis } from './redis/redis-watch.ts'
import { failureLog } from './relay/failure-log.ts'
import { settingsText, type AgreedSettings } from './relay/settings-report.ts'
import { attemptCounters } from './redis/attempt-counters.ts'
import { logEntries } from './postgres/log-entries.ts'
import { instances } from './postgres/instances.ts'
import { locks } from './postgres/locks.ts'
import { openDenials, type DenialsOptions } from './open-denials.ts'
import { journalMender } from './postgres/journal-mender.ts'
import { journalReader, type JournalReader } from './postgres/journal-reader.ts'
import { postgresJournal } from './postgres/postgres-journal.ts'
import { postgresOwnAccount } from './postgres/postgres-own-account.ts'
import { postgresPeers } from './postgres/postgres-peers.ts'
import { postgresSessions } from './postgres/postgres-sessions.ts'
import { postgresUserAdmin } from './postgres/postgres-user-admin.ts'
import { postgresUsers } from './postgres/postgres-users.ts'
import { NotPrimaryError } from './postgres/postgres-health.ts'
import { postgres } from './postgres/postgres.ts'
import { startPruning } from './postgres/prune.ts'
import { usernameCache } from './username-cache.ts'

export interface StoresOptions {
  databaseUrl: string
  /** Connections to Postgres. */
  databasePoolSize: number
  redisUrl: string | null
  /** Stands before every key in Redis. */
  redisPrefix: string
  /** By which denials, and the rows of sessions, outlive the last token. */
  denialLeewaySeconds: number
  denials: Pick<DenialsOptions, 'issuer' | 'leaseSeconds' | 'accessAgeSeconds' | 'leewaySeconds'>
  logRetentionSeconds: number
  /** Of this instance, as they are now, to be compared with those of the others. */
  agreedSettings: () => AgreedSettings
  isProduction: boolean
  log: SystemLog
  metrics: Metrics
}

export interface Stores {
  users: Users
  usernames: Usernames
  userAdmin: UserAdmin
  ownAccount: OwnAccount
  sessions: Sessions
  journal: Journal
  denylist: Denylist
  feed: DenialFeed
  auditLog: AuditLog
  attempts: AttemptCounters
  peers: Peers
  /** The state of each part in its own words, `ok` when all is well. */
  readiness(): Promise<Record<string, string>>
  /** The names of the settings in which the instances differ, though they must not. */
  differingSettings: () => readonly string[]
  close(): Promise<void>
}

/** Entries that an operator should see without asking the database. */
const WORTH_A_LINE: Partial<Record<EventType, string>> = {
  REFRESH_LATE_REPLAY: 'a refresh token came back late, and got its successor once more',
  REFRESH_REUSE: 'a refresh token was used twice: its session has ended',
}

/** Connects in the background: what is down at first is used when it comes up. */
export function openStores(options: StoresOptions): Stores {
  const {
    databaseUrl,
    redisUrl,
    denialLeewaySeconds: leewaySeconds,
    logRetentionSeconds,
    log,
    metrics,
  } = options
  const instanceId = randomUUID()
  const database = postgres({ url: databaseUrl, log, poolSize: options.databasePoolSize })
  const entries = logEntries({
    postgres: database,
    log,
    onFailure: metrics.logEntryFailed,
    onEvent: ({ type, sessionId, caller }: LogEntry) => {
      metrics.eventHappened(type)
      const words = WORTH_A_LINE[type]
      if (words !== undefined) log.warn({ sessionId, ipAddress: caller.ipAddress }, words)
    },
  })
  const logged = { postgres: database, logEntries: entries, leewaySeconds }
  const journal = postgresJournal(logged)
  const reader = journalReader(database)
  const lockRows = locks(database, instanceId)
  const pruning = startPruning({
    postgres: database,
    locks: lockRows,
    log,
    leewaySeconds,
    logRetentionSeconds,
  })
  const redis = redisUrl === null ? null : openRedis(redisUrl, options)
  const denials = openDenials({
    ...options.denials,
    clock: systemClock,
    instanceId,
    randomId: randomUUID,
    partitions: PARTITIONS,
    redis,
    journal: reader,
    mender: journalMender(database),
    locks: lockRows,
    instances: instances(database, {
      id: instanceId,
      name: `${hostname()}:${process.pid}`,
      settings: () => settingsText(options.agreedSettings()),
    }),
    isProduction: options.isProduction,
    log,
    metrics,
  })
  const users = postgresUsers(database)
  return {
    users,
    usernames: usernameCache(users),
    userAdmin: postgresUserAdmin(logged),
    ownAccount: postgresOwnAccount(logged),
    sessions: postgresSessions(logged),
    journal,
    denylist: denials.denylist,
    feed: denials.feed,
    auditLog: entries,
    peers: postgresPeers(database),
    attempts: attemptCounters(redis?.checks.client ?? null, log),

    readiness: async () => ({ postgres: await postgresReadiness(reader), ...denials.readiness() }),

    differingSettings: denials.differingSettings,

    close: async () => {
      await Promise.all([denials.close(), pruning.stop()])
      redis?.close()
      await database.close()
    },
  }
}

/** Two connections, what is known of what they lead to, and why they fail. */
function openRedis(redisUrl: string, { redisPrefix, log }: StoresOptions) {
  const failures = failureLog(log)
  const checks = connectRedis(redisUrl, failures.note, { prefix: redisPrefix })
  checks.onReady(failures.noteConnected)
  // The other connection tells what is wrong with Redis.
  const announcements = connectRedis(redisUrl, () => undefined, {
    prefix: redisPrefix,
    commandTimeoutMs: WAIT_MS + COMMAND_TIMEOUT_MS,
  })
  const guard = watchRedis({ connection: checks, log })
  return {
    checks,
    announcements,
    guard,
    failures,
    close: () => {
      guard.stop()
      checks.close()
      announcements.close()
    },
  }
}

async function postgresReadiness(journal: JournalReader): Promise<string> {
  try {
    return (await journal.clock()).unfit ?? 'ok'
  } catch (error) {
    const cause = error instanceof Error ? error.cause : null
    return cause instanceof NotPrimaryError ? cause.message : 'does not answer'
  }
}
