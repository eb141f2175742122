// The Journal port in memory.
import type { Journal } from '../../../src/auth/ports.ts'
import { statement, type MemoryDatabase } from './memory-database.ts'

export function memoryJournal(database: MemoryDatabase): Journal {
  return {
    isDenied: async ({ sid, jti }) =>
      await statement(database, () =>
        database.revocations.some(
          ({ deniedId, expiresAtMs }) =>
            [sid, `${sid}:${jti}`].includes(deniedId) && expiresAtMs > database.clock.nowMs(),
        ),
      ),
  }
}
