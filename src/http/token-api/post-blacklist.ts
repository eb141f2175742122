// POST /auth/token/blacklist/: ends the session behind a refresh token, under SimpleJWT's name for it.
import { logout, type LogoutDeps } from '../../auth/logout.ts'
import type { Endpoint } from '../endpoint.ts'
import type { OriginOf } from '../origin.ts'
import { refreshFields, validateFields } from './fields.ts'
import { parseBody } from './parse-body.ts'

export function postBlacklist(deps: LogoutDeps & OriginOf): Endpoint['handler'] {
  return async (ctx) => {
    const { refresh } = validateFields(refreshFields, await parseBody(ctx))
    await logout(deps, { refreshToken: refresh, origin: deps.originOf(ctx) })
    ctx.body = {}
  }
}
