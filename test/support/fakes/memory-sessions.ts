// The Sessions port in memory.
import type { Sessions } from '../../../src/auth/ports.ts'
import { endInMemory, statement, storeEntry, type MemoryDatabase } from './memory-database.ts'

export function memorySessions(database: MemoryDatabase): Sessions {
  return {
    begin: async ({ id, account, rehashed, refreshJti, expiresAt }, entry) =>
      await statement(database, () => {
        const user = database.users.find((candidate) => candidate.id === account.id)
        if (!user?.isActive || user.passwordHash !== account.passwordHash) return false
        user.passwordHash = rehashed ?? user.passwordHash
        user.lastLoginAt = new Date(database.clock.nowMs())
        database.sessions.push({
          id,
          userId: user.id,
          refreshJti,
          expiresAtMs: expiresAt * 1000,
          endReason: null,
        })
        storeEntry(database, { ...entry, userId: user.id, sessionId: id })
        return true
      }),

    end: async (sessionId, reason, entry) =>
      await statement(database, () => {
        const open = database.sessions.filter(({ id, endReason }) => id === sessionId && endReason === null)
        const [denial] = endInMemory(database, open, reason)
        for (const { id, userId } of open) storeEntry(database, { ...entry, userId, sessionId: id })
        return denial ?? null
      }),
  }
}
