// What the in-memory ports stand on together: the rows that Postgres would hold, and whether it answers.
import { v7 as uuidv7 } from 'uuid'
import { AuthError } from '../../../src/auth/errors.ts'
import type { Account } from '../../../src/auth/ports/accounts.ts'
import type { Denial } from '../../../src/auth/ports/denials.ts'
import type { LogEntry } from '../../../src/auth/ports/log.ts'
import type { Peer } from '../../../src/auth/ports/peers.ts'
import type { EndedBatch, EndReason } from '../../../src/auth/ports/session-ends.ts'
import { manualClock, type ManualClock } from './manual-clock.ts'

export interface MemoryUser extends Account {
  /** Of an account that was made when names were compared by another rule. */
  usernameKey?: string
  createdAt: Date
  lastLoginAt: Date | null
}

export interface MemorySession {
  id: string
  userId: string
  refreshJti: string
  generation: number
  rotatedAtMs: number | null
  presentedGeneration: number
  lateReplayAtMs: number | null
  createdAtMs: number
  lastSeenAtMs: number
  expiresAtMs: number
  ipAddress: string
  userAgent: string | null
  endReason: EndReason | null
}

export interface MemoryRevocation {
  deniedId: string
  reason: string
  expiresAtMs: number
}

/** A log entry with what a store adds to it. */
export interface MemoryLogRow {
  /** UUIDv7. */
  id: string
  createdAt: Date
  entry: LogEntry
}

export interface MemoryDatabase {
  /** How many sessions of one user end together. */
  batchSessions: number
  clock: ManualClock
  leewaySeconds: number
  users: MemoryUser[]
  sessions: MemorySession[]
  revocations: MemoryRevocation[]
  peers: Peer[]
  logRows: MemoryLogRow[]
  /** The entries of `logRows`. */
  readonly logs: LogEntry[]
  /** While `false`, every port on it rejects with `unavailable`. */
  isAnswering: boolean
  /** While `false`, entries are lost; what they describe is done all the same. */
  takesEntries: boolean
}

export function memoryDatabase(clock = manualClock(), leewaySeconds = 5): MemoryDatabase {
  const logRows: MemoryLogRow[] = []
  return {
    batchSessions: 500,
    clock,
    leewaySeconds,
    users: [],
    sessions: [],
    revocations: [],
    peers: [],
    logRows,
    get logs() {
      return logRows.map(({ entry }) => entry)
    },
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

export function storeEntry(database: MemoryDatabase, entry: LogEntry): void {
  if (!database.takesEntries) return
  database.logRows.push({ id: uuidv7(), createdAt: new Date(database.clock.nowMs()), entry })
}

/** `null`, and nothing changes, for what is denied already: for any time, or as long or longer. */
export function denyInMemory(
  database: MemoryDatabase,
  revocation: MemoryRevocation,
  { mayExtend = false } = {},
): Denial | null {
  const { deniedId, expiresAtMs } = revocation
  const known = database.revocations.find((other) => other.deniedId === deniedId)
  const deniedUntilMs = mayExtend ? expiresAtMs : database.clock.nowMs() + 1
  if (known && known.expiresAtMs >= deniedUntilMs) return null
  database.revocations = [...database.revocations.filter((other) => other !== known), revocation]
  return { id: deniedId, ttlMs: expiresAtMs - database.clock.nowMs() }
}

/** Ends those sessions, with a journal row each. */
export function endInMemory(
  database: MemoryDatabase,
  sessions: MemorySession[],
  reason: EndReason,
): Denial[] {
  return sessions.flatMap((session) => {
    const expiresAtMs = session.expiresAtMs + database.leewaySeconds * 1000
    session.endReason = reason
    return denyInMemory(database, { deniedId: session.id, reason, expiresAtMs }) ?? []
  })
}

/** As many of these as end together, in the order of their ids. */
export function endBatchInMemory(
  database: MemoryDatabase,
  sessions: MemorySession[],
  reason: EndReason,
): EndedBatch {
  const batch = sessions.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, database.batchSessions)
  return { denials: endInMemory(database, batch, reason), isLast: batch.length < database.batchSessions }
}

/** As a database that failed over to a replica which lagged: the session is on, and the journal knows no better. */
export function loseEndInMemory(database: MemoryDatabase, sessionId: string): void {
  for (const session of database.sessions) if (session.id === sessionId) session.endReason = null
  database.revocations = database.revocations.filter(({ deniedId }) => deniedId !== sessionId)
}

/** Those of the user's sessions of which a token may still be alive. */
export function openSessions(database: MemoryDatabase, userId: string): MemorySession[] {
  const aliveAfter = database.clock.nowMs() - database.leewaySeconds * 1000
  return database.sessions.filter(
    (session) => session.userId === userId && session.endReason === null && session.expiresAtMs > aliveAfter,
  )
}
