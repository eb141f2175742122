// Everything the rules need, in memory: one world, whose clock and whose failures are the test's.
import type {
  Account,
  AuditLog,
  Journal,
  Sessions,
  Tokens,
  UserAdmin,
  Users,
} from '../../../src/auth/ports.ts'
import { account } from '../builders/account.ts'
import { testKeys, testTokens } from '../builders/test-keys.ts'
import { fastHash, fastPasswords, type FastPasswords } from './fast-passwords.ts'
import { manualClock, type ManualClock } from './manual-clock.ts'
import { memoryAuditLog } from './memory-audit-log.ts'
import { memoryDatabase, type MemoryDatabase } from './memory-database.ts'
import { memoryDenylist, type MemoryDenylist } from './memory-denylist.ts'
import { memoryJournal } from './memory-journal.ts'
import { memorySessions } from './memory-sessions.ts'
import { memoryUserAdmin } from './memory-user-admin.ts'
import { memoryUsers } from './memory-users.ts'

export interface MemoryStores {
  clock: ManualClock
  now: ManualClock['now']
  leewaySeconds: number
  database: MemoryDatabase
  users: Users
  sessions: Sessions
  journal: Journal
  userAdmin: UserAdmin
  auditLog: AuditLog
  denylist: MemoryDenylist
  passwords: FastPasswords
  tokens: Tokens
  decoyHash: string
  /** Puts a user there, whose password is `PASSWORD`. */
  addUser(parts?: Partial<Account>): Account
}

export const PASSWORD = 'correct horse battery staple'

export function memoryStores(): MemoryStores {
  const clock = manualClock()
  const database = memoryDatabase(clock)
  return {
    clock,
    now: clock.now,
    leewaySeconds: database.leewaySeconds,
    database,
    users: memoryUsers(database),
    sessions: memorySessions(database),
    journal: memoryJournal(database),
    userAdmin: memoryUserAdmin(database),
    auditLog: memoryAuditLog(database),
    denylist: memoryDenylist(clock),
    passwords: fastPasswords(),
    tokens: testTokens(testKeys(), clock),
    decoyHash: fastHash('what nobody knows'),
    addUser: (parts = {}) => {
      const added = account({ passwordHash: fastHash(PASSWORD), ...parts })
      database.users.push({ ...added, createdAt: new Date(clock.nowMs()), lastLoginAt: null })
      return added
    },
  }
}
