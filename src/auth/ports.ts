// What the rules need from the outside, said in the rules' own words.
import type { AccessClaims, EpochSeconds, RefreshClaims } from '../contract/claims.ts'

/** Who asked, as far as the connection tells. */
export interface Origin {
  ipAddress: string
  /** `null` where the caller sent none. */
  userAgent: string | null
}

export interface Account {
  /** UUIDv7. */
  id: string
  username: string
  /** argon2id, as a PHC string. */
  passwordHash: string
  role: string
  isActive: boolean
}

export type EndReason = 'logout' | 'user_disabled' | 'password_changed'

export type EventType =
  | 'USER_LOGIN'
  | 'USER_LOGIN_FAILED'
  | 'USER_LOGOUT'
  | 'PASSWORD_CHANGED'
  | 'USER_ADDED'
  | 'USER_DISABLED'
  | 'USER_ENABLED'

export interface LogEntry {
  type: EventType
  origin: Origin
  userId?: string
  message?: string
}

/** One id that is refused from now on, for `ttlMs` milliseconds: as long as a token of it can be alive. */
export interface Denial {
  id: string
  ttlMs: number
}

export interface NewSession {
  /** UUIDv7. */
  id: string
  account: Account
  /** Replaces the stored hash, where that one has older parameters. */
  rehashed?: string
  /** Of the refresh token; stored as SHA-256 only. */
  refreshJti: string
  expiresAt: EpochSeconds
}

/** Every method rejects with `unavailable` when the store cannot answer in time. */
export interface Users {
  /** Case does not count. */
  findByUsername(username: string): Promise<Account | null>
}

/** What an operator does to users; one transaction each. Rejects with `unavailable`. */
export interface UserAdmin {
  /** `false` when the name is taken. */
  add(user: Pick<Account, 'id' | 'username' | 'passwordHash' | 'role'>, entry: LogEntry): Promise<boolean>
  list(): Promise<UserSummary[]>
  /** The denials of the sessions it ended; `null` when there is no such user. */
  disable(username: string, entry: LogEntry): Promise<Denial[] | null>
  /** `false` when there is no such user. */
  enable(username: string, entry: LogEntry): Promise<boolean>
  /** The denials of the sessions it ended; `null` when there is no such user. */
  setPassword(change: { username: string; passwordHash: string }, entry: LogEntry): Promise<Denial[] | null>
}

export interface UserSummary {
  id: string
  username: string
  role: string
  isActive: boolean
  createdAt: Date
  lastLoginAt: Date | null
}

export interface Sessions {
  /**
   * Writes the session and its log entry in one statement. `false` when the account is no longer
   * as it was read: disabled, deleted, or its password changed in the meantime.
   */
  begin(session: NewSession, entry: LogEntry): Promise<boolean>
  /**
   * Ends the session, with its journal row and its log entry, in one statement; durable when it
   * resolves. `null` when there is no such session, or it was over already: of several callers one wins.
   */
  end(sessionId: string, reason: EndReason, entry: LogEntry): Promise<Denial | null>
}

/** The journal: what was denied, durably. */
export interface Journal {
  /** Rejects with `unavailable`. */
  isDenied(ids: TokenIds): Promise<boolean>
}

/** The ids under which a token can be denied. */
export interface TokenIds {
  sid: string
  jti: string
}

/** The denylist: the same facts, where asking is cheap. */
export interface Denylist {
  /** Never rejects: what cannot be known, for whatever reason, is `unknown`. */
  check(ids: TokenIds): Promise<'live' | 'denied' | 'unknown'>
  /**
   * Never rejects: the journal has it already. Where the write fails, this instance answers
   * `unknown` until the denylist has been made to agree with the journal again.
   */
  deny(denials: Denial[]): Promise<void>
}

/** Entries that stand alone; never rejects, a failure is reported by the adapter. */
export interface AuditLog {
  write(entry: LogEntry): Promise<void>
}

/** Everything rejects with `unavailable` when too many hashes wait already. */
export interface Passwords {
  hash(password: string): Promise<string>
  verify(passwordHash: string, password: string): Promise<boolean>
  /** Whether the hash was made with other parameters than those of today. */
  isOutdated(passwordHash: string): boolean
}

/** What a token is made for. */
export interface Grant {
  sid: string
  userId: string
  scope: string
}

/** Synchronous: token crypto stays off the thread pool that password hashing and DNS share. */
export interface Tokens {
  /** Signs an access token; it never outlives `notAfter`, when the session's refresh token ends. */
  signAccess(grant: Grant, notAfter: EpochSeconds): string
  signRefresh(grant: Grant): SignedRefresh
  /** Throws `token_invalid` or `token_expired`. */
  verify(token: string): AccessClaims | RefreshClaims
}

export interface SignedRefresh {
  token: string
  jti: string
  exp: EpochSeconds
}
