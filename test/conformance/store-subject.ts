// What the suites of the durable ports are run on: the ports over one store, and a look behind them.
import type { Account, OwnAccount, UserAdmin, Users } from '../../src/auth/ports/accounts.ts'
import type { Journal } from '../../src/auth/ports/denials.ts'
import type { AuditLog } from '../../src/auth/ports/log.ts'
import type { Peers } from '../../src/auth/ports/peers.ts'
import type { Sessions } from '../../src/auth/ports/sessions.ts'

export interface StoreSubject {
  users: Users
  sessions: Sessions
  journal: Journal
  userAdmin: UserAdmin
  ownAccount: OwnAccount
  auditLog: AuditLog
  peers: Peers
  leewaySeconds: number
  /** By the store's clock. */
  nowMs: () => number
  /** The log entries so far, oldest first. */
  entries(): Promise<EntryRow[]>
  /** Makes an account as it was made when the width of characters counted in names. */
  addFormerly(user: Account): Promise<void>
  /** Writes a row of the journal as another process would. */
  deny(id: string, expiresInMs: number): Promise<void>
  /** Forgets the row of a session, as a database does that is put back to an older backup. */
  loseSession(id: string): Promise<void>
  /** Forgets a row of the journal. */
  loseDenial(id: string): Promise<void>
  /** Forgets that a session has ended, as a database does that failed over to a replica which lagged. */
  loseEnd(sessionId: string): Promise<void>
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
