// Makes sure that whoever holds an access token knows the password too, before the account itself changes.
import { AuthError } from '../errors.ts'
import type { Account, Passwords } from '../ports/accounts.ts'
import type { Caller } from '../ports/caller.ts'
import type { AuditLog } from '../ports/log.ts'
import type { ReadAccountDeps } from './read-account.ts'
import { requireWaiting } from '../require-waiting.ts'
import type { ThrottleDeps } from '../guessing/throttle.ts'

export interface ConfirmPasswordDeps extends ReadAccountDeps, ThrottleDeps {
  passwords: Passwords
  auditLog: AuditLog
}

export interface Confirmation {
  account: Account
  /** Of the access token. */
  sessionId: string
  password: string
  /**
   * Confirms as well while the account says that a change of its password is unfinished: where that was answered with
   * an error, the same is asked again, and by then the new password is the one that holds.
   */
  newPassword?: string
  caller: Caller
  /** Reads the account anew. */
  reread: () => Promise<Account>
}

/**
 * Resolves to what `change` resolves to for the account that the password is right for; its `null` says that
 * the account is no longer as it was read. Guesses are counted as those at login are: a stolen access token
 * is no way around that. Rejects with `credentials_invalid`, `token_denied`, `throttled` or `unavailable`.
 */
export async function confirmPassword<T extends object>(
  deps: ConfirmPasswordDeps,
  confirmation: Confirmation,
  change: (account: Account) => Promise<T | null>,
): Promise<T> {
  const attempt = async (account: Account): Promise<T | null> => {
    await verify(deps, { ...confirmation, account })
    requireWaiting(confirmation.caller)
    return await change(account)
  }
  const { account, caller, reread } = confirmation
  const guess = { username: account.username, caller: caller }
  return await deps.throttle.guess(guess, async () => {
    // Twice: a login elsewhere may just have renewed the hash, which is no reason to turn the owner away.
    const changed = (await attempt(account)) ?? (await attempt(await reread()))
    if (!changed) throw new AuthError('credentials_invalid')
    return changed
  })
}

async function verify(
  { passwords, auditLog }: ConfirmPasswordDeps,
  { account, sessionId, password, newPassword, caller }: Confirmation,
): Promise<void> {
  const { passwordHash } = account
  if (await passwords.verify(passwordHash, password, caller)) return
  const isUnfinished = newPassword !== undefined && account.unfinishedChange === 'password_changed'
  if (isUnfinished && (await passwords.verify(passwordHash, newPassword, caller))) return

  const message = 'wrong password, within a session'
  await auditLog.write({ type: 'USER_LOGIN_FAILED', caller, userId: account.id, sessionId, message })
  throw new AuthError('credentials_invalid')
}
