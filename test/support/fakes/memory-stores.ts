// Everything the rules need, in memory: one world, whose clock and whose failures are the test's.
import type { Account, OwnAccount, UserAdmin, Users } from '../../../src/auth/ports/accounts.ts'
import type { Journal } from '../../../src/auth/ports/denials.ts'
import type { AuditLog } from '../../../src/auth/ports/log.ts'
import type { Peers, PeerSecrets } from '../../../src/auth/ports/peers.ts'
import type { Sessions } from '../../../src/auth/ports/sessions.ts'
import type { Tokens } from '../../../src/auth/ports/tokens.ts'
import { createPeerCache, type PeerCache } from '../../../src/auth/peers/peer-cache.ts'
import { createThrottle, type Throttle } from '../../../src/auth/guessing/throttle.ts'
import { peerSecrets } from '../../../src/passwords/peer-secrets.ts'
import { account } from '../builders/account.ts'
import { testKeys, testTokens } from '../builders/test-keys.ts'
import { fastHash, fastPasswords, type FastPasswords } from './fast-passwords.ts'
import { manualClock, type ManualClock } from './manual-clock.ts'
import { memoryAttemptCounters, type MemoryAttemptCounters } from './memory-attempt-counters.ts'
import { memoryAuditLog } from './memory-audit-log.ts'
import { memoryDatabase, type MemoryDatabase } from './memory-database.ts'
import { memoryDenylist, type MemoryDenylist } from './memory-denylist.ts'
import { memoryJournal } from './memory-journal.ts'
import { memoryOwnAccount } from './memory-own-account.ts'
import { memoryPeers } from './memory-peers.ts'
import { memorySessions } from './memory-sessions.ts'
import { memoryUserAdmin } from './memory-user-admin.ts'
import { memoryUsers } from './memory-users.ts'

export interface MemoryStores {
  clock: ManualClock
  now: ManualClock['now']
  nowMs: ManualClock['nowMs']
  leewaySeconds: number
  refreshTtlSeconds: number
  sessionMaxAgeSeconds: number
  maxSessionsPerUser: number
  rotationGraceSeconds: number
  database: MemoryDatabase
  users: Users
  sessions: Sessions
  journal: Journal
  userAdmin: UserAdmin
  ownAccount: OwnAccount
  auditLog: AuditLog
  denylist: MemoryDenylist
  attempts: MemoryAttemptCounters
  throttle: Throttle
  passwords: FastPasswords
  peers: Peers
  peerSecrets: PeerSecrets
  peerCache: PeerCache
  tokens: Tokens
  decoyHash: string
  /** Puts a user there, whose password is `PASSWORD`. */
  addUser(parts?: Partial<Account>): Account
}

export const PASSWORD = 'correct horse battery staple'

export function memoryStores(): MemoryStores {
  const clock = manualClock()
  const attempts = memoryAttemptCounters(clock)
  const database = memoryDatabase(clock)
  const peers = memoryPeers(database)
  return {
    clock,
    now: clock.now,
    nowMs: clock.nowMs,
    leewaySeconds: database.leewaySeconds,
    refreshTtlSeconds: 86_400,
    sessionMaxAgeSeconds: 2_592_000,
    maxSessionsPerUser: 100,
    rotationGraceSeconds: 10,
    database,
    users: memoryUsers(database),
    sessions: memorySessions(database),
    journal: memoryJournal(database),
    userAdmin: memoryUserAdmin(database),
    ownAccount: memoryOwnAccount(database),
    auditLog: memoryAuditLog(database),
    denylist: memoryDenylist(clock),
    attempts,
    throttle: createThrottle(attempts),
    passwords: fastPasswords(),
    peers,
    peerSecrets,
    peerCache: createPeerCache({ peers, peerSecrets, nowMs: clock.nowMs }),
    tokens: testTokens(testKeys(), clock),
    decoyHash: fastHash('what nobody knows'),
    addUser: (parts = {}) => {
      const added = account({ passwordHash: fastHash(PASSWORD), ...parts })
      database.users.push({ ...added, createdAt: new Date(clock.nowMs()), lastLoginAt: null })
      return added
    },
  }
}
