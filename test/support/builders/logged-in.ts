// Users who are logged in, with the tokens of that session.
import { login } from '../../../src/auth/sessions/login.ts'
import { verifyAccess } from '../../../src/auth/tokens/verify-access.ts'
import type { AccessClaims } from '../../../src/contract/claims.ts'
import { PASSWORD, type MemoryStores } from '../fakes/memory-stores.ts'
import { CALLER } from './account.ts'

export interface LoggedIn {
  access: string
  refresh: string
  claims: AccessClaims
}

/** One more session of the user, whose password is `PASSWORD`; it rotates. */
export async function loggedIn(stores: MemoryStores, username = 'alice'): Promise<LoggedIn> {
  const { access, refresh } = await login(stores, {
    username,
    password: PASSWORD,
    rotates: true,
    caller: CALLER,
  })
  return {
    access: access.token,
    refresh: refresh.token,
    claims: verifyAccess(stores.tokens, access.token),
  }
}

/** The ids of the sessions that are on, in the order of their beginning. */
export function liveSessions({ database }: MemoryStores): string[] {
  return database.sessions.filter(({ endReason }) => endReason === null).map(({ id }) => id)
}
