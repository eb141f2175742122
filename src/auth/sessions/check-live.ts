// Decides whether a verified token's session is still on.
import { AuthError } from '../errors.ts'
import type { Denylist, Journal, TokenIds } from '../ports/denials.ts'

export interface CheckLiveDeps {
  denylist: Denylist
  journal: Journal
}

/**
 * Resolves when nothing denies the token. Rejects with `token_denied`, or `unavailable` when
 * neither the denylist nor the journal can tell.
 */
export async function checkLive(deps: CheckLiveDeps, ids: TokenIds): Promise<void> {
  const answer = await deps.denylist.check(ids)
  const denied = answer === 'unknown' ? await deps.journal.isDenied(ids) : answer === 'denied'
  if (denied) throw new AuthError('token_denied')
}
