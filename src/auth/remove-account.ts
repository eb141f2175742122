// Deletes the account behind an access token; every session of it ends.
import type { AccessClaims } from '../contract/claims.ts'
import { confirmPassword, type ConfirmPasswordDeps } from './confirm-password.ts'
import type { OwnAccount } from './ports/accounts.ts'
import type { Caller } from './ports/caller.ts'
import type { Denylist } from './ports/denials.ts'
import { readAccount } from './read-account.ts'

export interface RemoveAccountDeps extends ConfirmPasswordDeps {
  ownAccount: OwnAccount
  denylist: Denylist
}

export interface RemoveAccountInput {
  claims: AccessClaims
  password: string
  origin: Caller
}

/**
 * Resolves once the account is gone. Rejects with `credentials_invalid` (the password is wrong),
 * `token_denied`, `throttled` or `unavailable`.
 */
export async function removeAccount(
  deps: RemoveAccountDeps,
  { claims, password, origin }: RemoveAccountInput,
): Promise<void> {
  const sessionId = claims.sid
  const account = await readAccount(deps, claims.sub)
  const confirmation = { account, sessionId, password, origin }
  const denials = await confirmPassword(
    deps,
    confirmation,
    async (confirmed) =>
      await deps.ownAccount.remove(confirmed, {
        type: 'USER_DELETED',
        origin,
        userId: account.id,
        sessionId,
      }),
  )
  await deps.denylist.deny(denials)
}
