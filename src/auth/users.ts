// What an operator does to users: add, list, disable, enable, set a password.
import { v7 as uuidv7 } from 'uuid'
import type { Denial, LogEntry, Origin, Passwords, UserAdmin } from './ports.ts'

export interface UsersDeps {
  userAdmin: UserAdmin
  passwords: Passwords
}

const MIN_PASSWORD_CHARACTERS = 8
/** Longer ones are taken from nobody, neither here nor at login. */
export const MAX_PASSWORD_BYTES = 4096
const MAX_USERNAME_CHARACTERS = 150

/** What is asked for cannot be done; the message is for the person who asked. */
class UserError extends Error {
  override readonly name = 'UserError'
}

/** The operator at the machine itself. */
const OPERATOR: Origin = { ipAddress: 'local', userAgent: null }

export interface NewUser {
  username: string
  password: string
  role: string
}

/** Resolves to the user's id. Rejects with `UserError` for an unusable name or password, or a name that is taken. */
export async function addUser(deps: UsersDeps, { username, password, role }: NewUser): Promise<string> {
  checkUsername(username)
  checkPassword(password)
  const id = uuidv7()
  const passwordHash = await deps.passwords.hash(password)
  const added = await deps.userAdmin.add({ id, username, passwordHash, role }, entry('USER_ADDED'))
  if (!added) throw new UserError(`there is a user ${username} already`)
  return id
}

/** Ends every session of the user; resolves to the number of them. Rejects with `UserError` when there is none such. */
export async function disableUser(deps: Pick<UsersDeps, 'userAdmin'>, username: string): Promise<number> {
  return countOrRefuse(await deps.userAdmin.disable(username, entry('USER_DISABLED')), username)
}

/** Rejects with `UserError` when there is no such user. */
export async function enableUser(deps: Pick<UsersDeps, 'userAdmin'>, username: string): Promise<void> {
  if (!(await deps.userAdmin.enable(username, entry('USER_ENABLED')))) throw noSuchUser(username)
}

/** Ends every session of the user; resolves to the number of them. Rejects with `UserError`. */
export async function setPassword(deps: UsersDeps, change: Omit<NewUser, 'role'>): Promise<number> {
  const { username, password } = change
  checkPassword(password)
  const passwordHash = await deps.passwords.hash(password)
  const denials = await deps.userAdmin.setPassword({ username, passwordHash }, entry('PASSWORD_CHANGED'))
  return countOrRefuse(denials, username)
}

function checkUsername(username: string): void {
  const isUsable = username.trim() === username && username !== '' && !/\p{Cc}/u.test(username)
  if (!isUsable || username.length > MAX_USERNAME_CHARACTERS) {
    throw new UserError(
      `a username has 1 to ${MAX_USERNAME_CHARACTERS} characters, no control characters and no space at its ends`,
    )
  }
}

function checkPassword(password: string): void {
  if (password.length < MIN_PASSWORD_CHARACTERS || Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw new UserError(
      `a password has at least ${MIN_PASSWORD_CHARACTERS} characters and at most ${MAX_PASSWORD_BYTES} bytes`,
    )
  }
  // The API takes neither, so a password with them could never log in.
  if (password.trim() === '' || password.includes('\0')) {
    throw new UserError('a password is more than spaces and has no NUL characters')
  }
}

function countOrRefuse(denials: Denial[] | null, username: string): number {
  if (!denials) throw noSuchUser(username)
  return denials.length
}

function noSuchUser(username: string): UserError {
  return new UserError(`there is no user ${username}`)
}

function entry(type: LogEntry['type']): LogEntry {
  return { type, origin: OPERATOR }
}
