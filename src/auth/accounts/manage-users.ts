// An operator manages users: adds, lists, disables and enables them, and sets a password, a role or claims.
import { v7 as uuidv7 } from 'uuid'
import { AuthError } from '../errors.ts'
import type { OwnClaims } from '../../contract/claims.ts'
import { endOfUser } from './end-of-user.ts'
import { parseOwnClaims } from './own-claims.ts'
import { checkPassword, type IsCommonPassword, type NewCredentials } from './password-rules.ts'
import type { ChangedUser, Passwords, UserAdmin } from '../ports/accounts.ts'
import type { Caller } from '../ports/caller.ts'
import type { Denylist } from '../ports/denials.ts'
import type { LogEntry, CallerAddress } from '../ports/log.ts'
import type { EndReason } from '../ports/session-ends.ts'
import type { Sessions } from '../ports/sessions.ts'
import { checkUsername } from './username-rules.ts'

export interface UsersDeps {
  userAdmin: UserAdmin
  passwords: Passwords
  isCommonPassword: IsCommonPassword
  /** Hears of what ended at once; by the relay it would within a second. */
  denylist: Pick<Denylist, 'tell'>
  sessions: Pick<Sessions, 'endOfUser'>
  /** That a user may have. */
  roles: readonly string[]
}

/** The end of a user's sessions takes these. */
type EndingDeps = Pick<UsersDeps, 'userAdmin' | 'sessions' | 'denylist'>

/** The operator at the machine itself. */
const MACHINE: CallerAddress = { ipAddress: 'local', userAgent: null }
const OPERATOR: Caller = {
  ...MACHINE,
  isWaiting: () => true,
  isInTime: () => true,
  noteProgress: () => undefined,
}

export interface NewUser extends NewCredentials {
  role: string
}

/**
 * Resolves to the user's id. Rejects with `username_invalid`, `password_too_weak`, `username_taken` or
 * `unavailable`; and, saying so, when there is no such role.
 */
export async function addUser(deps: UsersDeps, { username, password, role }: NewUser): Promise<string> {
  checkRole(deps, role)
  checkUsername(username)
  checkPassword({ username, password }, deps.isCommonPassword)
  const id = uuidv7()
  const passwordHash = await deps.passwords.hash(password, OPERATOR)
  const added = await deps.userAdmin.add({ id, username, passwordHash, role }, entry('USER_ADDED'))
  if (!added) throw new AuthError('username_taken', { reasons: [`there is a user ${username} already`] })
  return id
}

/** Ends every session of the user; resolves to the number of them. Rejects, saying so, when there is no such user. */
export async function disableUser(deps: EndingDeps, username: string): Promise<number> {
  const user = await deps.userAdmin.disable(username, entry('USER_DISABLED'))
  return await endSessionsOf(deps, known(user, username), 'user_disabled')
}

/** Rejects, saying so, when there is no such user. */
export async function enableUser(deps: Pick<UsersDeps, 'userAdmin'>, username: string): Promise<void> {
  if (!(await deps.userAdmin.enable(username, entry('USER_ENABLED')))) throw noSuchUser(username)
}

/**
 * Ends every session of the user; resolves to the number of them. Rejects with `password_too_weak` or
 * `unavailable`, and, saying so, when there is no such user.
 */
export async function setPassword(deps: UsersDeps, change: NewCredentials): Promise<number> {
  const { username, password } = change
  checkPassword(change, deps.isCommonPassword)
  const passwordHash = await deps.passwords.hash(password, OPERATOR)
  const user = await deps.userAdmin.setPassword({ username, passwordHash }, entry('PASSWORD_CHANGED'))
  return await endSessionsOf(deps, known(user, username), 'password_changed')
}

/**
 * Ends every session of the user, whose tokens say the role before; resolves to the number of them. Rejects with
 * `unavailable`, and, saying so, when there is no such role or no such user.
 */
export async function setRole(
  deps: EndingDeps & Pick<UsersDeps, 'roles'>,
  change: { username: string; role: string },
): Promise<number> {
  checkRole(deps, change.role)
  const message = `to ${change.role}`
  const user = await deps.userAdmin.setRole(change, { ...entry('ROLE_CHANGED'), message })
  return await endSessionsOf(deps, known(user, change.username), 'role_changed')
}

/**
 * Has the access tokens of the user's later logins and rotations say that besides; its sessions go on. Rejects with
 * `unavailable`, and, saying so, when that cannot be said or there is no such user.
 */
export async function setClaims(
  deps: Pick<UsersDeps, 'userAdmin'>,
  { username, json }: { username: string; json: string },
): Promise<OwnClaims> {
  const claims = parseOwnClaims(json)
  // The values of the claims are the tokens' business alone; an investigation wants to know which they are.
  const message = Object.keys(claims).join(', ') || 'none'
  known(
    await deps.userAdmin.setClaims({ username, claims }, { ...entry('CLAIMS_CHANGED'), message }),
    username,
  )
  return claims
}

function checkRole({ roles }: Pick<UsersDeps, 'roles'>, role: string): void {
  if (!roles.includes(role)) throw new Error(`there is no role ${role}, only ${roles.join(', ')} (ROLES)`)
}

/** Comes after the change that closes the account; where it fails, the command can be given again. */
async function endSessionsOf(
  { sessions, denylist }: EndingDeps,
  { id: userId }: ChangedUser,
  reason: EndReason,
): Promise<number> {
  return await endOfUser({ sessions, tell: denylist.tell, caller: OPERATOR }, { userId, reason })
}

function known(user: ChangedUser | null, username: string): ChangedUser {
  if (!user) throw noSuchUser(username)
  return user
}

/** No code of the rules: no dialect ever says whether there is a user, only the operator is told. */
function noSuchUser(username: string): Error {
  return new Error(`there is no user ${username}`)
}

function entry(type: LogEntry['type']): LogEntry {
  return { type, caller: MACHINE }
}
