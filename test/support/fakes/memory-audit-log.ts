// The AuditLog port in memory.
import type { AuditLog } from '../../../src/auth/ports/log.ts'
import { statement, storeEntry, type MemoryDatabase } from './memory-database.ts'

export function memoryAuditLog(database: MemoryDatabase): AuditLog {
  return {
    write: async (entry) => {
      await statement(database, () => {
        storeEntry(database, entry)
      }).catch(() => undefined)
    },
  }
}
