// Opens Postgres and Redis and hands out the ports that stand on them.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { OwnAccount, UserAdmin, Usernames, Users } from '../auth/ports/accounts.ts'
import type { AttemptCounters } from '../auth/ports/attempts.ts'
import type { DenialFeed, Denylist, Journal } from '../auth/ports/denials.ts'
import type { AuditLog, LogEntry } from '../auth/ports/log.ts'
import type { Peers } from '../auth/ports/peers.ts'
import type { Sessions } from '../auth/ports/sessions.ts'
import type { SystemLog } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import { absentDenylist } from './absent-denylist.ts'
import { attemptCounters } from './redis/attempt-counters.ts'
import { logEntries } from './postgres/log-entries.ts'
import { instances } from './postgres/instances.ts'
import { locks } from './postgres/locks.ts'
import { publishingDenylist } from './feed/publishing-denylist.ts'
import { openFeed, type FeedOptions } from './feed/open-feed.ts'
import { openDenylist } from './relay/open-denylist.ts'
import { journalReader } from './postgres/journal-reader.ts'
import { postgresJournal } from './postgres/postgres-journal.ts'
import { postgresOwnAccount } from './postgres/postgres-own-account.ts'
import { postgresPeers } from './postgres/postgres-peers.ts'
import { postgresSessions } from './postgres/postgres-sessions.ts'
import { postgresUserAdmin } from './postgres/postgres-user-admin.ts'
import { postgresUsers } from './postgres/postgres-users.ts'
import { postgres } from './postgres/postgres.ts'
import { startPruning } from './postgres/prune.ts'
import { rememberedUsernames } from './remembered-usernames.ts'

export interface StoresOptions {
  databaseUrl: string
  redisUrl: string | null
  /** By which denials, and the rows of sessions, outlive the last token. */
  leewaySeconds: number
  leaseSeconds: number
  /** What the feed must know of tokens. */
  accessTokens: Pick<FeedOptions, 'accessAgeSeconds' | 'leewaySeconds'>
  logRetentionSeconds: number
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
  /** What each part has to say for itself, `ok` when all is well. */
  readiness(): Promise<Record<string, string>>
  close(): Promise<void>
}

/** Connects in the background: what is down at first is used when it comes up. */
export function openStores(options: StoresOptions): Stores {
  const {
    databaseUrl,
    redisUrl,
    leewaySeconds,
    accessTokens,
    logRetentionSeconds,
    isProduction,
    log,
    metrics,
  } = options
  const instanceId = randomUUID()
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
  const reader = journalReader(database)
  const lockRows = locks(database, instanceId)
  const pruning = startPruning({
    postgres: database,
    locks: lockRows,
    log,
    leewaySeconds,
    logRetentionSeconds,
  })
  const redis =
    redisUrl === null
      ? null
      : openDenylist({
          redisUrl,
          leaseSeconds: options.leaseSeconds,
          isProduction,
          instanceId,
          journal: reader,
          locks: lockRows,
          instances: instances(database, { id: instanceId, name: `${hostname()}:${process.pid}` }),
          log,
          metrics,
        })

  const { feed, close: closeFeed } = openFeed({ ...options, ...accessTokens, journal: reader })
  const users = postgresUsers(database)
  return {
    users,
    usernames: rememberedUsernames(users),
    userAdmin: postgresUserAdmin(logged),
    ownAccount: postgresOwnAccount(logged),
    sessions: postgresSessions(logged),
    journal,
    denylist: publishingDenylist(redis?.denylist ?? absentDenylist, feed),
    feed,
    auditLog: entries,
    peers: postgresPeers(database),
    attempts: attemptCounters(redis?.connection.client ?? null, log),

    readiness: async () => {
      const answering = await reader.clock().then(
        () => 'ok',
        () => 'does not answer',
      )
      return { postgres: answering, ...redis?.readiness() }
    },

    close: async () => {
      await Promise.all([redis?.close(), closeFeed(), pruning.stop()])
      await database.close()
    },
  }
}
