// POST /auth/token/blacklist/: ends the session behind a refresh token, under SimpleJWT's name for it.
import type { Middleware } from 'koa'
import { logout, type LogoutDeps } from '../../auth/logout.ts'
import { originOf } from '../origin.ts'
import { refreshFields, validateFields } from './fields.ts'
import { parseBody } from './parse-body.ts'

export function postBlacklist(deps: LogoutDeps): Middleware {
  return async (ctx) => {
    const { refresh } = validateFields(refreshFields, await parseBody(ctx))
    await logout(deps, { refreshToken: refresh, origin: originOf(ctx) })
    ctx.body = {}
  }
}
