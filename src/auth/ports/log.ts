// The words for telling of what happened: the one that asked, and the entries that are kept.

/** The one that asked, as far as the connection tells. */
export interface CallerAddress {
  ipAddress: string
  /** `null` where the caller sent none. */
  userAgent: string | null
}

export type EventType =
  | 'USER_LOGIN'
  | 'USER_LOGIN_FAILED'
  | 'USER_LOGOUT'
  | 'SESSION_REVOKED'
  | 'REFRESH_LATE_REPLAY'
  | 'REFRESH_REUSE'
  | 'PASSWORD_CHANGED'
  | 'ROLE_CHANGED'
  | 'CLAIMS_CHANGED'
  | 'USER_ADDED'
  | 'USER_DISABLED'
  | 'USER_ENABLED'
  | 'USER_DELETED'

export interface LogEntry {
  type: EventType
  caller: CallerAddress
  userId?: string
  /** The session that it tells of; where the statement it rides in knows better, that counts. */
  sessionId?: string
  message?: string
}

/** A log entry as its user sees it. */
export interface EventRecord {
  /** UUIDv7: the order of the entries. */
  id: string
  type: string
  sessionId: string | null
  ipAddress: string
  userAgent: string | null
  message: string | null
  createdAt: Date
}

/** Entries that stand alone; never rejects, a failure is reported by the adapter. */
export interface AuditLog {
  write(entry: LogEntry): Promise<void>
}
