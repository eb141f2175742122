// The OwnAccount port in memory.
import { AuthError } from '../../../src/auth/errors.ts'
import type { Account, ChangedUser, OwnAccount } from '../../../src/auth/ports/accounts.ts'
import type { LogEntry } from '../../../src/auth/ports/log.ts'
import {
  endBatchInMemory,
  openSessions,
  statement,
  storeEntry,
  type MemoryDatabase,
  type MemoryUser,
} from './memory-database.ts'

export function memoryOwnAccount(database: MemoryDatabase): OwnAccount {
  return {
    changePassword: async ({ account, passwordHash }, entry) =>
      await change(account, entry, (user) => {
        if (!user.isActive) return false
        user.passwordHash = passwordHash
        user.unfinishedChange = 'password_changed'
        return true
      }),

    finishPasswordChange: async (userId) => {
      await statement(database, () => {
        const user = database.users.find(({ id }) => id === userId)
        if (user?.unfinishedChange === 'password_changed') user.unfinishedChange = null
      })
    },

    close: async (account, entry) =>
      await change(account, entry, (user) => {
        const isMine = user.isActive || user.unfinishedChange === 'user_deleted'
        if (!isMine || user.isActive !== account.isActive) return false
        user.isActive = false
        user.unfinishedChange = 'user_deleted'
        return true
      }),

    remove: async (userId) =>
      await statement(database, () => {
        const user = database.users.find(({ id }) => id === userId)
        if (!user) return { denials: [], isLast: true }
        if (user.unfinishedChange !== 'user_deleted') throw new AuthError('unavailable')
        const batch = endBatchInMemory(database, openSessions(database, userId), 'user_deleted')
        if (!batch.isLast) return batch
        database.sessions = database.sessions.filter((session) => session.userId !== userId)
        database.users = database.users.filter(({ id }) => id !== userId)
        return batch
      }),

    events: async ({ userId, before, limit }) =>
      await statement(database, () =>
        database.logRows
          .filter(({ id, entry }) => entry.userId === userId && (before === null || id < before))
          .sort((a, b) => (a.id < b.id ? 1 : -1))
          .slice(0, limit)
          .map(({ id, createdAt, entry: { type, sessionId = null, caller, message = null } }) => ({
            id,
            type,
            sessionId,
            ipAddress: caller.ipAddress,
            userAgent: caller.userAgent,
            message,
            createdAt,
          })),
      ),
  }

  async function change(
    { id, passwordHash }: Account,
    entry: LogEntry,
    work: (user: MemoryUser) => boolean,
  ): Promise<ChangedUser | null> {
    return await statement(database, () => {
      const user = database.users.find((candidate) => candidate.id === id)
      if (user?.passwordHash !== passwordHash || !work(user)) return null
      storeEntry(database, { ...entry, userId: user.id })
      return { id: user.id }
    })
  }
}
