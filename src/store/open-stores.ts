// Opens Postgres and Redis and hands out the ports that stand on them.
import { AuthError } from '../auth/errors.ts'
import type { OwnAccount, UserAdmin, Users } from '../auth/ports/accounts.ts'
import type { AttemptCounters } from '../auth/ports/attempts.ts'
import type { Denylist, Journal } from '../auth/ports/denials.ts'
import type { AuditLog, LogEntry } from '../auth/ports/log.ts'
import type { Sessions } from '../auth/ports/sessions.ts'
import type { SystemLog } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import { absentDenylist } from './absent-denylist.ts'
import { attemptCounters } from './attempt-counters.ts'
import { logEntries } from './log-entries.ts'
import { postgresJournal, type ReplayableJournal } from './postgres-journal.ts'
import { postgresOwnAccount } from './postgres-own-account.ts'
import { postgresSessions } from './postgres-sessions.ts'
import { postgresUserAdmin } from './postgres-user-admin.ts'
import { postgresUsers } from './postgres-users.ts'
import { postgres } from './postgres.ts'
import { redisDenylist } from './redis-denylist.ts'
import { connectRedis } from './redis.ts'
import { startRelay } from './relay.ts'

export interface StoresOptions {
  databaseUrl: string
  redisUrl: string | null
  leewaySeconds: number
  log: SystemLog
  metrics: Metrics
}

export interface Stores {
  users: Users
  userAdmin: UserAdmin
  ownAccount: OwnAccount
  sessions: Sessions
  journal: Journal
  denylist: Denylist
  auditLog: AuditLog
  attempts: AttemptCounters
  /** What each part has to say for itself, `ok` when all is well. */
  readiness(): Promise<Record<string, string>>
  close(): Promise<void>
}

/** Connects in the background: what is down at first is used when it comes up. */
export function openStores({ databaseUrl, redisUrl, leewaySeconds, log, metrics }: StoresOptions): Stores {
  const database = postgres({ url: databaseUrl, log })
  const entries = logEntries({
    postgres: database,
    log,
    onFailure: metrics.logEntryFailed,
    onEvent: ({ type, sessionId, origin }: LogEntry) => {
      metrics.eventHappened(type)
      if (type !== 'REFRESH_REUSE') return
      const { ipAddress } = origin
      log.warn({ sessionId, ipAddress }, 'a refresh token was used twice: its session has ended')
    },
  })
  const logged = { postgres: database, logEntries: entries, leewaySeconds }
  const journal = postgresJournal(logged)
  const redis = redisUrl === null ? null : openDenylist({ redisUrl, journal, log, metrics })

  return {
    users: postgresUsers(database),
    userAdmin: postgresUserAdmin(logged),
    ownAccount: postgresOwnAccount(logged),
    sessions: postgresSessions(logged),
    journal,
    denylist: redis?.denylist ?? absentDenylist,
    auditLog: entries,
    attempts: attemptCounters(redis?.connection ?? null, log),

    readiness: async () => {
      const answering = await journal.settledUpTo().then(
        () => 'ok',
        () => 'does not answer',
      )
      return { postgres: answering, ...redis?.readiness() }
    },

    close: async () => {
      await redis?.close()
      await database.close()
    },
  }
}

interface DenylistOptions {
  redisUrl: string
  journal: ReplayableJournal
  log: SystemLog
  metrics: Metrics
}

function openDenylist({ redisUrl, journal, log, metrics }: DenylistOptions) {
  /** What this outage was put down to so far: each reason is told once. */
  const told = new Set<string>()
  const onFailure = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error)
    // Postgres tells of its own outages.
    if (error instanceof AuthError || told.has(reason)) return
    told.add(reason)
    log.warn({ reason }, 'Redis cannot be used: checks ask Postgres')
  }

  const connection = connectRedis(redisUrl, onFailure)
  const denylist = redisDenylist(connection, (isTrusted) => {
    metrics.denylistTrusted(isTrusted)
    told.clear()
    if (isTrusted) log.info('Redis agrees with the journal: checks ask Redis')
    else log.warn('Redis is not known to agree with the journal: checks ask Postgres')
  })
  const relay = startRelay({ redis: connection, denylist, journal, onFailure })

  return {
    denylist,
    connection,
    readiness: () => ({
      redis: connection.status === 'ready' ? 'ok' : 'not connected',
      denylist: denylist.isTrusted ? 'ok' : 'not in sync with the journal, which is asked instead',
    }),
    close: async () => {
      await relay.stop()
      denylist.close()
      connection.disconnect()
    },
  }
}
