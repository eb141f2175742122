// What the in-memory ports stand on together: the rows that Postgres would hold, and whether it answers.
import { AuthError } from '../../../src/auth/errors.ts'
import type { Account, Denial, EndReason, LogEntry } from '../../../src/auth/ports.ts'
import { manualClock, type ManualClock } from './manual-clock.ts'

export interface MemoryUser extends Account {
  createdAt: Date
  lastLoginAt: Date | null
}

export interface MemorySession {
  id: string
  userId: string
  refreshJti: string
  expiresAtMs: number
  endReason: EndReason | null
}

export interface MemoryRevocation {
  deniedId: string
  reason: string
  expiresAtMs: number
}

/** An entry with the ids that a store adds to it. */
export interface StoredEntry extends LogEntry {
  sessionId?: string
}

export interface MemoryDatabase {
  clock: ManualClock
  leewaySeconds: number
  users: MemoryUser[]
  sessions: MemorySession[]
  revocations: MemoryRevocation[]
  logs: StoredEntry[]
  /** While `false`, every port on it rejects with `unavailable`. */
  isAnswering: boolean
  /** While `false`, entries are lost; what they describe is done all the same. */
  takesEntries: boolean
}

export function memoryDatabase(clock = manualClock(), leewaySeconds = 5): MemoryDatabase {
  return {
    clock,
    leewaySeconds,
    users: [],
    sessions: [],
    revocations: [],
    logs: [],
    isAnswering: true,
    takesEntries: true,
  }
}

/** Runs `work` as one statement: later, all at once, or not at all. */
export async function statement<T>(database: MemoryDatabase, work: () => T): Promise<T> {
  await Promise.resolve()
  if (!database.isAnswering) throw new AuthError('unavailable')
  return work()
}

export function storeEntry(database: MemoryDatabase, entry: StoredEntry): void {
  if (database.takesEntries) database.logs.push(entry)
}

/** Ends those sessions, with a journal row each. */
export function endInMemory(
  database: MemoryDatabase,
  sessions: MemorySession[],
  reason: EndReason,
): Denial[] {
  return sessions.map((session) => {
    const expiresAtMs = session.expiresAtMs + database.leewaySeconds * 1000
    session.endReason = reason
    database.revocations.push({ deniedId: session.id, reason, expiresAtMs })
    return { id: session.id, ttlMs: expiresAtMs - database.clock.nowMs() }
  })
}
