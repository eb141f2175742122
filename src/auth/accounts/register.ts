// Makes an account for whoever asks, and begins its first session.
import { v7 as uuidv7 } from 'uuid'
import { beginSession, type BeginSessionDeps, type BegunSession } from '../sessions/begin-session.ts'
import { AuthError } from '../errors.ts'
import { checkPassword, type IsCommonPassword, type NewCredentials } from './password-rules.ts'
import type { Account, Passwords, UserAdmin } from '../ports/accounts.ts'
import type { Caller } from '../ports/caller.ts'
import { requireWaiting } from '../require-waiting.ts'
import type { ThrottleDeps } from '../guessing/throttle.ts'
import { checkUsername } from './username-rules.ts'

export interface RegisterDeps extends BeginSessionDeps, ThrottleDeps {
  userAdmin: UserAdmin
  passwords: Passwords
  isCommonPassword: IsCommonPassword
}

export interface RegisterInput extends NewCredentials {
  caller: Caller
}

/** The role for which nobody had to be trusted. */
const ROLE = 'user'

/**
 * Resolves to a session that rotates, once user and session are durable. Rejects with
 * `username_invalid`, `password_too_weak`, `username_taken`, `throttled` or `unavailable`; where the
 * session could not begin, the account is there all the same, and login works.
 */
export async function register(
  deps: RegisterDeps,
  { username: asTyped, password, caller }: RegisterInput,
): Promise<BegunSession> {
  await deps.throttle.address(caller.ipAddress)
  const username = asTyped.trim()
  checkUsername(username)
  checkPassword({ username, password }, deps.isCommonPassword)

  const passwordHash = await deps.passwords.hash(password, caller)
  requireWaiting(caller)
  const account: Account = {
    id: uuidv7(),
    username,
    passwordHash,
    role: ROLE,
    isActive: true,
    unfinishedChange: null,
    claims: {},
  }
  const added = await deps.userAdmin.add(account, { type: 'USER_ADDED', caller, userId: account.id })
  if (!added) throw new AuthError('username_taken')

  const begun = await beginSession(deps, { account, rotates: true, caller })
  if (!begun) throw new AuthError('credentials_invalid')
  return begun
}
