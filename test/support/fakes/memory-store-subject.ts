// The in-memory ports as the conformance suites want them.
import type { DenylistSubject } from '../../conformance/denylist.ts'
import type { PasswordsSubject } from '../../conformance/passwords.ts'
import type { StoreSubject } from '../../conformance/store-subject.ts'
import { usernameKeys } from '../../../src/auth/accounts/username-key.ts'
import { fastHash, fastPasswords } from './fast-passwords.ts'
import { manualClock } from './manual-clock.ts'
import { memoryAuditLog } from './memory-audit-log.ts'
import { loseEndInMemory, memoryDatabase } from './memory-database.ts'
import { memoryDenylist } from './memory-denylist.ts'
import { memoryJournal } from './memory-journal.ts'
import { memoryOwnAccount } from './memory-own-account.ts'
import { memoryPeers } from './memory-peers.ts'
import { memorySessions } from './memory-sessions.ts'
import { memoryUserAdmin } from './memory-user-admin.ts'
import { memoryUsers } from './memory-users.ts'

export async function memoryStoreSubject(): Promise<StoreSubject> {
  const database = memoryDatabase()
  const { nowMs } = database.clock
  return await Promise.resolve({
    users: memoryUsers(database),
    sessions: memorySessions(database),
    journal: memoryJournal(database),
    userAdmin: memoryUserAdmin(database),
    ownAccount: memoryOwnAccount(database),
    auditLog: memoryAuditLog(database),
    peers: memoryPeers(database),
    leewaySeconds: database.leewaySeconds,
    nowMs,
    entries: async () =>
      await Promise.resolve(
        database.logs.map(({ type, userId = null, sessionId = null, caller, message = null }) => ({
          type,
          userId,
          sessionId,
          ipAddress: caller.ipAddress,
          userAgent: caller.userAgent,
          message,
        })),
      ),
    addFormerly: async (user) => {
      const [key] = usernameKeys(user.username)
      database.users.push({ ...user, usernameKey: key, createdAt: new Date(nowMs()), lastLoginAt: null })
      await Promise.resolve()
    },
    deny: async (deniedId, expiresInMs) => {
      database.revocations.push({ deniedId, reason: 'logout', expiresAtMs: nowMs() + expiresInMs })
      await Promise.resolve()
    },
    loseSession: async (sessionId) => {
      database.sessions = database.sessions.filter(({ id }) => id !== sessionId)
      await Promise.resolve()
    },
    loseDenial: async (id) => {
      database.revocations = database.revocations.filter(({ deniedId }) => deniedId !== id)
      await Promise.resolve()
    },
    loseEnd: async (sessionId) => {
      loseEndInMemory(database, sessionId)
      await Promise.resolve()
    },
    breakEntries: async () => {
      database.takesEntries = false
      await Promise.resolve()
    },
    close: async () => {
      await Promise.resolve()
    },
  })
}

export async function memoryDenylistSubject(): Promise<DenylistSubject> {
  const clock = manualClock()
  const denylist = memoryDenylist(clock)
  return await Promise.resolve({
    denylist,
    pass: async (ms) => {
      clock.advance(ms / 1000)
      await Promise.resolve()
    },
    empty: async () => {
      denylist.empty()
      await Promise.resolve()
    },
    cutOff: async () => {
      denylist.isAnswering = false
      await Promise.resolve()
    },
    close: async () => {
      await Promise.resolve()
    },
  })
}

export async function fastPasswordsSubject(): Promise<PasswordsSubject> {
  return await Promise.resolve({
    passwords: fastPasswords(),
    outdatedHash: fastHash('old password', 'fast-1'),
    close: async () => {
      await Promise.resolve()
    },
  })
}
