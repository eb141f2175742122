// Tells whose session a refresh token belongs to, without using the token up.
import type { EpochSeconds } from '../../contract/claims.ts'
import { AuthError } from '../errors.ts'
import { readableSession, type ReuseDeps } from './refresh-reuse.ts'
import type { Account, Users } from '../ports/accounts.ts'
import type { Tokens } from '../ports/tokens.ts'
import { verifyRefresh } from '../tokens/verify-refresh.ts'

export interface ReadSessionDeps extends ReuseDeps {
  tokens: Tokens
  users: Users
}

export interface ReadSession {
  user: Pick<Account, 'id' | 'username' | 'role'>
  session: { id: string; createdAt: EpochSeconds; expiresAt: EpochSeconds }
}

/** Rejects with `token_invalid`, `token_expired`, `token_wrong_type`, `token_denied` or `unavailable`. */
export async function readSession(deps: ReadSessionDeps, token: string): Promise<ReadSession> {
  const claims = verifyRefresh(deps.tokens, token)
  const { createdAt, expiresAt } = await readableSession(deps, claims)
  const account = await deps.users.findById(claims.sub)
  if (!account) throw new AuthError('token_denied')

  const { id, username, role } = account
  return { user: { id, username, role }, session: { id: claims.sid, createdAt, expiresAt } }
}
