// Users: reading them, and what operators and they themselves change.
import type { Caller } from './caller.ts'
import type { Denial } from './denials.ts'
import type { EventRecord, LogEntry } from './log.ts'

export interface Account {
  /** UUIDv7. */
  id: string
  username: string
  /** argon2id, as a PHC string. */
  passwordHash: string
  role: string
  isActive: boolean
}

/** Like every port: rejects with `unavailable` when the store cannot answer in time, with `failed` when it refuses. */
export interface Users {
  /** Case does not count. */
  findByUsername(username: string): Promise<Account | null>
  findById(id: string): Promise<Account | null>
}

/** What users are called, for those who would like to know and can do without. */
export interface Usernames {
  /** `null` for nobody, and where it cannot be had at once. Never rejects. */
  nameOf(userId: string): Promise<string | null>
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

/** For whom a password is hashed. */
export type HashCaller = Pick<Caller, 'ipAddress' | 'isWaiting'>

/** The work for different networks takes turns. Everything rejects with `unavailable` where it cannot be done in time. */
export interface Passwords {
  hash(password: string, caller: HashCaller): Promise<string>
  verify(passwordHash: string, password: string, caller: HashCaller): Promise<boolean>
  /** Whether the hash was made with other parameters than those of today. */
  isOutdated(passwordHash: string): boolean
}
