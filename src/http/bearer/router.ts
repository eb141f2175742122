// The bearer logout, POST /logout: an access token, ours or another service's, ends what stands behind it.
import { logoutBearer, type LogoutBearerDeps } from '../../auth/sessions/logout-bearer.ts'
import { bearerToken } from '../request/bearer-token.ts'
import type { Dialect, Endpoint } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { requireKnownNames } from '../request/known-names.ts'
import type { CallerOf } from '../request/caller.ts'
import { parseBodyPlainly } from '../token-api/parse-body.ts'
import { bearerErrors, tokenMissing } from './errors.ts'
import { logout } from './operations.ts'

export type BearerDeps = LogoutBearerDeps & CallerOf

export function bearer(deps: BearerDeps): Dialect {
  return {
    errors: bearerErrors,
    endpoints: [{ method: 'POST', path: '/logout', operation: logout, handler: postLogout(deps) }],
  }
}

function postLogout(deps: BearerDeps): Endpoint['handler'] {
  return async (ctx) => {
    const token = bearerToken(ctx)
    if (token === null) throw new RefusalError(tokenMissing)
    requireKnownNames(ctx, { fields: await parseBodyPlainly(ctx), known: [] })
    await logoutBearer(deps, { token, caller: deps.callerOf(ctx) })
    ctx.body = { message: 'Logout successful.' }
  }
}
