// The Journal port in memory.
import type { Denial, Journal } from '../../../src/auth/ports/denials.ts'
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

    denialOf: async (deniedId) =>
      await statement(database, () => live().find(({ id }) => id === deniedId) ?? null),

    denialsOfUser: async ({ userId, after, limit }) =>
      await statement(database, () => {
        const ended = database.sessions.filter(
          (session) => session.userId === userId && session.endReason !== null,
        )
        const meant = new Set(ended.map(({ id }) => id))
        return live()
          .filter(({ id }) => meant.has(id) && (after === null || id > after))
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .slice(0, limit)
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

  function live(): Denial[] {
    const nowMs = database.clock.nowMs()
    return database.revocations
      .map(({ deniedId, expiresAtMs }) => ({ id: deniedId, ttlMs: expiresAtMs - nowMs }))
      .filter(({ ttlMs }) => ttlMs > 0)
  }
}
