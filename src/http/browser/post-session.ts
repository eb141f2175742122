// POST /auth/session: username and password for a cookie and an access token.
import { login, type LoginDeps } from '../../auth/login.ts'
import { credentials } from '../credentials.ts'
import type { Endpoint } from '../endpoint.ts'
import { readJson } from '../json-body.ts'
import type { OriginOf } from '../origin.ts'
import { setCookie } from './cookie.ts'
import { csrfTokenOf, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'

export function postSession(deps: LoginDeps & ForgeryDeps & OriginOf): Endpoint['handler'] {
  return async (ctx) => {
    // Also here: a foreign page must not log a visitor in as somebody else.
    requireOwnOrigin(deps, ctx)
    const { username, password } = readJson(ctx, credentials)
    const origin = deps.originOf(ctx)
    const { user, sid, access, refresh } = await login(deps, { username, password, rotates: true, origin })

    setCookie(ctx, refresh.token)
    ctx.body = {
      access: access.token,
      expires_in: access.expiresIn,
      csrf_token: csrfTokenOf(deps, sid),
      user,
    }
  }
}
