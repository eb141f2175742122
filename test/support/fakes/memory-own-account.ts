// The OwnAccount port in memory.
import type { Account, OwnAccount } from '../../../src/auth/ports/accounts.ts'
import type { Denial } from '../../../src/auth/ports/denials.ts'
import {
  endInMemory,
  openSessions,
  statement,
  storeEntry,
  type MemoryDatabase,
  type MemoryUser,
} from './memory-database.ts'

export function memoryOwnAccount(database: MemoryDatabase): OwnAccount {
  return {
    changePassword: async ({ account, passwordHash, keepSessionId }, entry) =>
      await change(account, (user) => {
        storeEntry(database, { ...entry, userId: user.id })
        user.passwordHash = passwordHash
        const others = openSessions(database, user.id).filter(({ id }) => id !== keepSessionId)
        return endInMemory(database, others, 'password_changed')
      }),

    remove: async (account, entry) =>
      await change(account, (user) => {
        storeEntry(database, { ...entry, userId: user.id })
        const denials = endInMemory(database, openSessions(database, user.id), 'user_deleted')
        database.sessions = database.sessions.filter(({ userId }) => userId !== user.id)
        database.users = database.users.filter(({ id }) => id !== user.id)
        return denials
      }),

    events: async ({ userId, before, limit }) =>
      await statement(database, () =>
        database.logRows
          .filter(({ id, entry }) => entry.userId === userId && (before === null || id < before))
          .sort((a, b) => (a.id < b.id ? 1 : -1))
          .slice(0, limit)
          .map(({ id, createdAt, entry: { type, sessionId = null, origin, message = null } }) => ({
            id,
            type,
            sessionId,
            ipAddress: origin.ipAddress,
            userAgent: origin.userAgent,
            message,
            createdAt,
          })),
      ),
  }

  async function change(
    { id, passwordHash }: Account,
    work: (user: MemoryUser) => Denial[],
  ): Promise<Denial[] | null> {
    return await statement(database, () => {
      const user = database.users.find((candidate) => candidate.id === id)
      return user?.isActive && user.passwordHash === passwordHash ? work(user) : null
    })
  }
}
