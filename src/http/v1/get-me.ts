// GET /api/v1/auth/me: the account behind the access token.
import { readAccount, type ReadAccountDeps } from '../../auth/accounts/read-account.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import type { Endpoint } from '../endpoint.ts'
import { authenticated } from './authenticated.ts'

export function getMe(deps: AuthenticateDeps & ReadAccountDeps): Endpoint['handler'] {
  return authenticated(deps, async (ctx, claims) => {
    const { id, username, role } = await readAccount(deps, claims.sub)
    ctx.body = { id, username, role }
  })
}
