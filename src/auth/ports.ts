// What the rules need from the outside, said in the rules' own words.
import type { AccessClaims, EpochSeconds, RefreshClaims } from '../contract/claims.ts'
import type { DeniedId } from '../contract/denylist-keys.ts'

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

export type EndReason =
  | 'logout'
  | 'logout_all'
  | 'revoked'
  | 'refresh_reuse'
  | 'password_changed'
  | 'user_disabled'
  | 'user_deleted'

export type EventType =
  | 'USER_LOGIN'
  | 'USER_LOGIN_FAILED'
  | 'USER_LOGOUT'
  | 'SESSION_REVOKED'
  | 'REFRESH_REUSE'
  | 'PASSWORD_CHANGED'
  | 'USER_ADDED'
  | 'USER_DISABLED'
  | 'USER_ENABLED'
  | 'USER_DELETED'

export interface LogEntry {
  type: EventType
  origin: Origin
  userId?: string
  /** The session that it tells of; where the statement it rides in knows better, that counts. */
  sessionId?: string
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
  findById(id: string): Promise<Account | null>
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

/**
 * What users do to their own accounts; one transaction each, with the denials of the sessions that it
 * ended. `null` when the account is no longer as it was read: disabled, deleted, or its password
 * changed in the meantime. Rejects with `unavailable`.
 */
export interface OwnAccount {
  /** Ends every session of the user but `keepSessionId`. */
  changePassword(
    change: { account: Account; passwordHash: string; keepSessionId: string },
    entry: LogEntry,
  ): Promise<Denial[] | null>
  /** Ends every session of the user, and forgets user and sessions; the log entries stay. */
  remove(account: Account, entry: LogEntry): Promise<Denial[] | null>
  /** The user's log entries, newest first: those before the entry `before`, if it is given. */
  events(query: { userId: string; before: string | null; limit: number }): Promise<EventRecord[]>
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

export interface Sessions {
  /**
   * Writes the session and its log entry in one statement. `false` when the account is no longer
   * as it was read: disabled, deleted, or its password changed in the meantime.
   */
  begin(session: NewSession, entry: LogEntry): Promise<boolean>
  /**
   * Ends the session, with its journal row and its log entry, in one statement; durable when it
   * resolves. `null` when it was over already: of several callers one wins. A session whose row is
   * lost (to an older backup, say) is denied all the same.
   */
  end(session: EndingSession, entry: LogEntry): Promise<Denial | null>
  /** Ends one session of that user; `null` when the user has no such live session. */
  revoke(session: { id: string; userId: string }, entry: LogEntry): Promise<Denial | null>
  /**
   * Ends every live session of the user of `sessionId`, that one included, in one statement with one
   * log entry. `null`, and nothing ends, when that one is over.
   */
  endAll(sessionId: string, entry: LogEntry): Promise<Denial[] | null>
  /**
   * Takes a live session from one generation to the next; `null` when it is over or not at that
   * generation any more: of several callers one wins, and against a racing end none does.
   */
  rotate(rotation: Rotation): Promise<Rotated | null>
  /** `null` when there is no such session, or it is over. */
  find(sessionId: string): Promise<LiveSession | null>
  /** The user's live sessions, the newest first. */
  list(userId: string): Promise<SessionSummary[]>
}

export interface EndingSession {
  id: string
  userId: string
  reason: EndReason
  /** When the token at hand expires: how long to deny a session whose row is lost. */
  expiresAt: EpochSeconds
}

export interface Rotation {
  sessionId: string
  /** The one it is at. */
  generation: number
  /** Of the next refresh token; stored as SHA-256 only. */
  refreshJti: string
  /** When the next refresh token is issued, in milliseconds since 1970. */
  rotatedAtMs: number
  /** When it expires, unless the session has reached its greatest age by then. A session never gets shorter. */
  expiresAt: EpochSeconds
  maxAgeSeconds: number
  /** A refresh token without a generation that this rotation uses up: it is denied from now on. */
  retiredJti?: string
}

export interface Rotated {
  session: LiveSession
  /** Of the retired token; empty where there was none. */
  denials: Denial[]
}

/** What the row of a session that is on says. */
export interface LiveSession {
  generation: number
  /** When the current generation began, in milliseconds since 1970; `null` at generation 0. */
  rotatedAtMs: number | null
  createdAt: EpochSeconds
  expiresAt: EpochSeconds
}

export interface SessionSummary {
  id: string
  ipAddress: string
  userAgent: string | null
  createdAt: Date
  lastSeenAt: Date
  expiresAt: Date
}

/** The journal: what was denied, durably. */
export interface Journal {
  /** Rejects with `unavailable`. */
  isDenied(ids: TokenIds): Promise<boolean>
  /**
   * Denies a foreign token, with its log entry, in one statement; `null` when it was denied already:
   * of several callers one wins. Rejects with `unavailable`.
   */
  deny(token: { id: DeniedId; expiresAt: EpochSeconds }, entry: LogEntry): Promise<Denial | null>
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
  signAccess(grant: Grant, notAfter: EpochSeconds): SignedAccess
  /** The first refresh token of a session; with `rotates`, it is of generation 0. */
  signRefresh(grant: Grant, rotates: boolean): SignedRefresh
  /** The refresh token of a later generation: for the same input the same token, byte for byte. */
  signSuccessor(grant: Grant, successor: Successor): SignedRefresh
  /** The `jti` that the successor of that generation will have. */
  successorJti(sid: string, generation: number): string
  /** Throws `token_invalid` or `token_expired`. */
  verify(token: string): AccessClaims | RefreshClaims
}

export interface Successor {
  generation: number
  issuedAt: EpochSeconds
  expiresAt: EpochSeconds
}

export interface SignedAccess {
  token: string
  /** Seconds it lives. */
  expiresIn: number
}

export interface SignedRefresh {
  token: string
  jti: string
  exp: EpochSeconds
}

/** Tokens that another login service issued (`SECRET_KEY`, `TRUSTED_ISSUERS`). */
export interface ForeignTokens {
  /**
   * Rejects with `token_invalid`, `token_expired`, `token_wrong_type` (a refresh token), or `unavailable`
   * when the issuer's keys cannot be had.
   */
  verify(token: string): Promise<ForeignToken>
}

export interface ForeignToken {
  /** Under which it is denied: one id, however the token is spelt. */
  id: DeniedId
  /** `null` where the token names none. */
  issuer: string | null
  expiresAt: EpochSeconds
}

/** Where attempts are counted, so that guessing can be slowed. Never rejects: without its store it counts in memory. */
export interface AttemptCounters {
  /** Counts one more for `key`, in a window that begins with the first; resolves to the count, this one included. */
  count(window: AttemptWindow, key: string): Promise<AttemptCount>
  /** Takes one back. */
  uncount(window: AttemptWindow, key: string): Promise<void>
  /** Begins again at nothing. */
  clear(window: AttemptWindow, key: string): Promise<void>
  /** Lets one caller pass, and no other one for `seconds`: 0 for the one, the milliseconds to wait for the others. */
  pass(key: string, seconds: number): Promise<number>
}

/** What is counted apart, each with a length of its own. */
export interface AttemptWindow {
  name: string
  seconds: number
}

export interface AttemptCount {
  count: number
  /** Until the window ends. */
  resetMs: number
}
