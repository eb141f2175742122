// Users: reading them, and what operators and they themselves change.
import type { OwnClaims } from '../../contract/claims.ts'
import type { Caller } from './caller.ts'
import type { EventRecord, LogEntry } from './log.ts'
import type { EndedBatch, EndReason } from './session-ends.ts'

export interface Account {
  /** UUIDv7. */
  id: string
  username: string
  /** argon2id, as a PHC string. */
  passwordHash: string
  role: string
  isActive: boolean
  /** The change that its user has begun to make to it, until all sessions are over that end for it; else `null`. */
  unfinishedChange: UnfinishedChange | null
  /** Own claims: its access tokens carry them beside ours. */
  claims: OwnClaims
}

export type UnfinishedChange = Extract<EndReason, 'password_changed' | 'user_deleted'>

/** Like every port: rejects with `unavailable` when the store cannot answer in time, with `failed` when it refuses. */
export interface Users {
  /** Case does not count. */
  findByUsername(username: string): Promise<Account | null>
  findById(id: string): Promise<Account | null>
}

/** The names of users, for callers that would like to know them and can do without. */
export interface Usernames {
  /** `null` for nobody, and where it cannot be had at once. Never rejects. */
  nameOf(userId: string): Promise<string | null>
}

/** Whose account a change has closed to all who were in; ending their sessions (`Sessions.endOfUser`) comes next. */
export interface ChangedUser {
  id: string
}

/**
 * The changes that an operator makes to users; one transaction each. The change comes first, and ends no session by itself:
 * from then on no login begins one by what held before. `null` when there is no such user. Rejects with `unavailable`.
 */
export interface UserAdmin {
  /** `false` when the name is taken. */
  add(user: Pick<Account, 'id' | 'username' | 'passwordHash' | 'role'>, entry: LogEntry): Promise<boolean>
  list(): Promise<UserSummary[]>
  /** Neither a login nor a rotation succeeds from then on. */
  disable(username: string, entry: LogEntry): Promise<ChangedUser | null>
  /** `false` when there is no such user. */
  enable(username: string, entry: LogEntry): Promise<boolean>
  /** No login succeeds with the password before. */
  setPassword(
    change: { username: string; passwordHash: string },
    entry: LogEntry,
  ): Promise<ChangedUser | null>
  /** Every login and every rotation is with the new claims. Sessions go on. */
  setClaims(change: { username: string; claims: OwnClaims }, entry: LogEntry): Promise<ChangedUser | null>
  /** Every login and every rotation is under the new role. */
  setRole(change: { username: string; role: string }, entry: LogEntry): Promise<ChangedUser | null>
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
 * The changes that users make to their own accounts; one transaction each. `null` when the account is no longer as it was read:
 * disabled, deleted, or its password changed in the meantime. Rejects with `unavailable`.
 */
export interface OwnAccount {
  /** No login succeeds with the password before. The account says of itself that this is unfinished. */
  changePassword(
    change: { account: Account; passwordHash: string },
    entry: LogEntry,
  ): Promise<ChangedUser | null>
  /** All that this ends is over. */
  finishPasswordChange(userId: string): Promise<void>
  /**
   * Neither a login nor a rotation succeeds from then on. The account says of itself that its deletion is unfinished,
   * and may be closed again.
   */
  close(account: Account, entry: LogEntry): Promise<ChangedUser | null>
  /**
   * Forgets a batch of the sessions of a closed account that are over. The last batch ends what is left, and forgets the
   * user with it, in one commit; the log entries stay.
   */
  remove(userId: string): Promise<EndedBatch>
  /** The user's log entries, newest first: those before the entry `before`, if it is given. */
  events(query: { userId: string; before: string | null; limit: number }): Promise<EventRecord[]>
}

/** For whom a password is hashed. */
export type HashCaller = Pick<Caller, 'ipAddress' | 'isInTime'>

/** The work for different networks takes turns. Everything rejects with `unavailable` where it cannot be done in time. */
export interface Passwords {
  hash(password: string, caller: HashCaller): Promise<string>
  verify(passwordHash: string, password: string, caller: HashCaller): Promise<boolean>
  /** Whether the hash was made with other parameters than those of today. */
  isOutdated(passwordHash: string): boolean
}
