// Gives the account behind an access token a new password; every other session of it ends.
import type { AccessClaims } from '../contract/claims.ts'
import { confirmPassword, type ConfirmPasswordDeps } from './confirm-password.ts'
import { checkPassword, type IsCommonPassword } from './password-rules.ts'
import type { OwnAccount } from './ports/accounts.ts'
import type { Caller } from './ports/caller.ts'
import type { Denylist } from './ports/denials.ts'
import { readAccount } from './read-account.ts'
import { requireWaiting } from './require-waiting.ts'

export interface ChangePasswordDeps extends ConfirmPasswordDeps {
  ownAccount: OwnAccount
  denylist: Denylist
  isCommonPassword: IsCommonPassword
}

export interface ChangePasswordInput {
  claims: AccessClaims
  currentPassword: string
  newPassword: string
  origin: Caller
}

/**
 * Resolves once the new password is durable, and the others are out. Rejects with `password_too_weak`,
 * `credentials_invalid` (the current password is wrong), `token_denied`, `throttled` or `unavailable`.
 */
export async function changePassword(deps: ChangePasswordDeps, input: ChangePasswordInput): Promise<void> {
  const { claims, currentPassword: password, newPassword, origin } = input
  const sessionId = claims.sid
  const account = await readAccount(deps, claims.sub)
  // Before the current one is verified: it tells nothing that the caller does not know, and a person
  // who is to think of a better password has not used up a guess.
  checkPassword({ username: account.username, password: newPassword }, deps.isCommonPassword)

  const confirmation = { account, sessionId, password, origin }
  const denials = await confirmPassword(deps, confirmation, async (confirmed) => {
    const passwordHash = await deps.passwords.hash(newPassword, origin)
    requireWaiting(origin)
    return await deps.ownAccount.changePassword(
      { account: confirmed, passwordHash, keepSessionId: sessionId },
      { type: 'PASSWORD_CHANGED', origin, userId: account.id, sessionId },
    )
  })
  await deps.denylist.deny(denials)
}
