// What the suites of the durable ports are run on: the ports over one store, and a look behind them.
import type { AuditLog, Journal, Sessions, UserAdmin, Users } from '../../src/auth/ports.ts'

export interface StoreSubject {
  users: Users
  sessions: Sessions
  journal: Journal
  userAdmin: UserAdmin
  auditLog: AuditLog
  leewaySeconds: number
  /** By the store's clock. */
  nowMs: () => number
  /** The log entries so far, oldest first. */
  entries(): Promise<EntryRow[]>
  /** Writes a row of the journal as another process would. */
  deny(id: string, expiresInMs: number): Promise<void>
  /** From now on no log entry can be written. */
  breakEntries(): Promise<void>
  close(): Promise<void>
}

export interface EntryRow {
  type: string
  userId: string | null
  sessionId: string | null
  ipAddress: string
  userAgent: string | null
  message: string | null
}

export type CreateStore = () => Promise<StoreSubject>

/** How far the clocks of a store and of the test may be apart, with the time that a statement takes. */
export const CLOCK_TOLERANCE_MS = 1500
