// The account behind an access token, as it is now.
import { AuthError } from './errors.ts'
import type { Account, Users } from './ports/accounts.ts'

export interface ReadAccountDeps {
  users: Users
}

/** Rejects with `token_denied` when the user was disabled or deleted meanwhile, or with `unavailable`. */
export async function readAccount({ users }: ReadAccountDeps, userId: string): Promise<Account> {
  const account = await users.findById(userId)
  if (!account?.isActive) throw new AuthError('token_denied')
  return account
}
