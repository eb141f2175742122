// POST /api/v1/auth/logout: ends the session of the tokens presented, or others of its user.
import { logoutEither, type LogoutEitherDeps } from '../../auth/sessions/logout-either.ts'
import { bearerToken } from '../request/bearer-token.ts'
import type { Endpoint } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { readJson } from '../request/json-body.ts'
import { readLogoutScope } from '../request/logout-scope.ts'
import type { CallerOf } from '../request/caller.ts'
import { tokenMissing } from './errors.ts'
import { logoutBody } from './fields.ts'

export function postLogout(deps: LogoutEitherDeps & CallerOf): Endpoint['handler'] {
  return async (ctx) => {
    const accessToken = bearerToken(ctx)
    const fields = readJson(ctx, logoutBody)
    const { refresh_token: refreshToken = null } = fields
    if (accessToken === null && refreshToken === null) throw new RefusalError(tokenMissing)

    const scope = readLogoutScope(ctx, fields, ['refresh_token'])
    await logoutEither(deps, { accessToken, refreshToken, scope, caller: deps.callerOf(ctx) })
    ctx.status = 204
  }
}
