// POST /auth/token/blacklist/: ends the session behind a refresh token, under SimpleJWT's name for it.
import { logout, type LogoutDeps } from '../../auth/sessions/logout.ts'
import type { Endpoint } from '../endpoint.ts'
import { requireKnownNames } from '../request/known-names.ts'
import type { CallerOf } from '../request/caller.ts'
import { refreshFields, validateFields } from './fields.ts'
import { parseBody } from './parse-body.ts'

export function postBlacklist(deps: LogoutDeps & CallerOf): Endpoint['handler'] {
  return async (ctx) => {
    const fields = await parseBody(ctx)
    const { refresh } = validateFields(refreshFields, fields)
    requireKnownNames(ctx, { fields, known: [], knownInBody: ['refresh'] })
    await logout(deps, { refreshToken: refresh, caller: deps.callerOf(ctx) })
    ctx.body = {}
  }
}
