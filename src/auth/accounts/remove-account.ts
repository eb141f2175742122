// Deletes the account behind an access token; every session of it ends.
import type { AccessClaims } from '../../contract/claims.ts'
import { confirmPassword, type ConfirmPasswordDeps } from './confirm-password.ts'
import { eachBatch, endOfUser } from './end-of-user.ts'
import type { OwnAccount } from '../ports/accounts.ts'
import type { Caller } from '../ports/caller.ts'
import type { Denylist } from '../ports/denials.ts'
import type { Sessions } from '../ports/sessions.ts'
import { readAccountToRemove } from './read-account.ts'

export interface RemoveAccountDeps extends ConfirmPasswordDeps {
  ownAccount: OwnAccount
  sessions: Pick<Sessions, 'endOfUser'>
  denylist: Denylist
}

export interface RemoveAccountInput {
  claims: AccessClaims
  password: string
  caller: Caller
}

/**
 * Resolves once the account is gone. Rejects with `credentials_invalid` (the password is wrong),
 * `token_denied`, `throttled` or `unavailable`: then it may be closed already, and the same can be asked again.
 */
export async function removeAccount(
  deps: RemoveAccountDeps,
  { claims, password, caller }: RemoveAccountInput,
): Promise<void> {
  const { ownAccount, sessions, denylist } = deps
  const sessionId = claims.sid
  const reread = async () => await readAccountToRemove(deps, claims.sub)
  const confirmation = { account: await reread(), sessionId, password, caller, reread }
  const { id: userId } = await confirmPassword(
    deps,
    confirmation,
    async (confirmed) =>
      await ownAccount.close(confirmed, { type: 'USER_DELETED', caller, userId: confirmed.id, sessionId }),
  )
  // The asking session goes on until the account itself is gone: it is what asks again where this fails.
  const others = { userId, reason: 'user_deleted', keepSessionId: sessionId } as const
  await endOfUser({ sessions, tell: denylist.deny, caller: caller }, others)
  await eachBatch({ tell: denylist.deny, caller: caller }, async () => await ownAccount.remove(userId))
}
