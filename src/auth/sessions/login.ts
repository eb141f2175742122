// Trades a username and password for a pair of tokens: one session on one device begins.
import { beginSession, type BeginSessionDeps, type BegunSession } from './begin-session.ts'
import { AuthError } from '../errors.ts'
import type { Account, Passwords, Users } from '../ports/accounts.ts'
import type { Caller } from '../ports/caller.ts'
import type { AuditLog } from '../ports/log.ts'
import { requireWaiting } from '../require-waiting.ts'
import type { ThrottleDeps } from '../guessing/throttle.ts'

export interface LoginDeps extends BeginSessionDeps, ThrottleDeps {
  users: Users
  passwords: Passwords
  auditLog: AuditLog
  /** A hash of nothing anybody knows, verified where there is no account, so that both cost the same. */
  decoyHash: string
}

export interface LoginInput {
  username: string
  password: string
  /** Whether each refresh brings a new refresh token. */
  rotates: boolean
  /** Whether the cookie that will hold its refresh tokens is to outlive the browser. */
  isPersistent?: boolean
  caller: Caller
}

/**
 * Resolves once the session is durable. Rejects with `credentials_invalid`, alike in time for
 * unknown user, wrong password and inactive user, with `throttled`, or with `unavailable`.
 */
export async function login(deps: LoginDeps, input: LoginInput): Promise<BegunSession> {
  const guess = { username: input.username, caller: input.caller }
  return await deps.throttle.guess(guess, async () => {
    // The account may change between reading it and beginning the session, when another device has
    // its hash renewed, say; whoever knows the password that then holds is not turned away.
    const attempt = await tryLogin(deps, input)
    const { begun, account } = attempt.hasChanged ? await tryLogin(deps, input) : attempt
    if (begun) return begun

    await deps.auditLog.write({
      type: 'USER_LOGIN_FAILED',
      caller: input.caller,
      // The name itself is not kept: people type their password into that field.
      ...(account ? { userId: account.id } : { message: 'unknown user' }),
    })
    throw new AuthError('credentials_invalid')
  })
}

interface Attempt {
  account: Account | null
  begun: BegunSession | null
  /** The password was right, but the account was no longer as it was read. */
  hasChanged: boolean
}

async function tryLogin(deps: LoginDeps, input: LoginInput): Promise<Attempt> {
  const { username, password, rotates, isPersistent = false, caller } = input
  const account = await deps.users.findByUsername(username)
  const passwordHash = account?.passwordHash ?? deps.decoyHash
  const matches = await deps.passwords.verify(passwordHash, password, caller)
  if (!account?.isActive || !matches) return { account, begun: null, hasChanged: false }

  const isOutdated = deps.passwords.isOutdated(account.passwordHash)
  const rehashed = isOutdated ? { rehashed: await deps.passwords.hash(password, caller) } : {}
  requireWaiting(caller)
  const begun = await beginSession(deps, { account, ...rehashed, rotates, isPersistent, caller })
  return { account, begun, hasChanged: begun === null }
}
