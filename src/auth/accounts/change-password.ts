// Gives the account behind an access token a new password; every other session of it ends.
import type { AccessClaims } from '../../contract/claims.ts'
import { confirmPassword, type ConfirmPasswordDeps } from './confirm-password.ts'
import { endOfUser } from './end-of-user.ts'
import { checkPassword, type IsCommonPassword } from './password-rules.ts'
import type { OwnAccount } from '../ports/accounts.ts'
import type { Caller } from '../ports/caller.ts'
import type { Denylist } from '../ports/denials.ts'
import type { Sessions } from '../ports/sessions.ts'
import { readAccount } from './read-account.ts'
import { requireWaiting } from '../require-waiting.ts'

export interface ChangePasswordDeps extends ConfirmPasswordDeps {
  ownAccount: OwnAccount
  sessions: Pick<Sessions, 'endOfUser'>
  denylist: Denylist
  isCommonPassword: IsCommonPassword
}

export interface ChangePasswordInput {
  claims: AccessClaims
  currentPassword: string
  newPassword: string
  caller: Caller
}

/**
 * Resolves once the new password is durable, and the others are out. Rejects with `password_too_weak`,
 * `credentials_invalid` (the current password is wrong), `token_denied`, `throttled` or `unavailable`: then the new
 * password may hold already, and the very same can be asked again, until all of it is done.
 */
export async function changePassword(deps: ChangePasswordDeps, input: ChangePasswordInput): Promise<void> {
  const { claims, currentPassword: password, newPassword, caller } = input
  const sessionId = claims.sid
  const reread = async () => await readAccount(deps, claims.sub)
  const account = await reread()
  // Before the current one is verified: it tells nothing that the caller does not know, and a person
  // who is to think of a better password has not used up a guess.
  checkPassword({ username: account.username, password: newPassword }, deps.isCommonPassword)

  const confirmation = { account, sessionId, password, newPassword, caller, reread }
  const { id: userId } = await confirmPassword(deps, confirmation, async (confirmed) => {
    const passwordHash = await deps.passwords.hash(newPassword, caller)
    requireWaiting(caller)
    return await deps.ownAccount.changePassword(
      { account: confirmed, passwordHash },
      { type: 'PASSWORD_CHANGED', caller, userId: account.id, sessionId },
    )
  })
  // The password first: nobody comes in with the old one any more while the sessions end that it has begun.
  const others = { userId, reason: 'password_changed', keepSessionId: sessionId } as const
  await endOfUser({ sessions: deps.sessions, tell: deps.denylist.deny, caller: caller }, others)
  await deps.ownAccount.finishPasswordChange(userId)
}
