// The Journal port in memory.
import type { Journal } from '../../../src/auth/ports/denials.ts'
import { denyInMemory, statement, storeEntry, type MemoryDatabase } from './memory-database.ts'

export function memoryJournal(database: MemoryDatabase): Journal {
  return {
    isDenied: async ({ sid, jti }) =>
      await statement(database, () =>
        database.revocations.some(
          ({ deniedId, expiresAtMs }) =>
            [sid, `${sid}:${jti}`].includes(deniedId) && expiresAtMs > database.clock.nowMs(),
        ),
      ),

    denialsOf: async ({ sessionId, userId }) =>
      await statement(database, () => {
        const ofUser = database.sessions.filter((session) => session.userId === userId)
        const meant = new Set([sessionId, ...ofUser.map(({ id }) => id)])
        return database.revocations
          .map(({ deniedId, expiresAtMs }) => ({ id: deniedId, ttlMs: expiresAtMs - database.clock.nowMs() }))
          .filter(({ id, ttlMs }) => ttlMs > 0 && meant.has(id))
      }),

    deny: async ({ id, expiresAt }, entry) =>
      await statement(database, () => {
        const expiresAtMs = (expiresAt + database.leewaySeconds) * 1000
        const revocation = { deniedId: id, reason: 'logout', expiresAtMs }
        const denial = denyInMemory(database, revocation, { mayExtend: true })
        if (denial) storeEntry(database, entry)
        return denial
      }),
  }
}
