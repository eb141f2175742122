// The account behind an access token, as it is now.
import { AuthError } from '../errors.ts'
import type { Account, Users } from '../ports/accounts.ts'

export interface ReadAccountDeps {
  users: Users
}

/** Rejects with `token_denied` when the user was disabled or deleted meanwhile, or with `unavailable`. */
export async function readAccount({ users }: ReadAccountDeps, userId: string): Promise<Account> {
  const account = await users.findById(userId)
  if (!account?.isActive) throw new AuthError('token_denied')
  return account
}

/** The same, but for an account that its user has begun to delete, which may be asked for again until it is gone. */
export async function readAccountToRemove({ users }: ReadAccountDeps, userId: string): Promise<Account> {
  const account = await users.findById(userId)
  const isOpen = account?.isActive === true || account?.unfinishedChange === 'user_deleted'
  if (!account || !isOpen) throw new AuthError('token_denied')
  return account
}
