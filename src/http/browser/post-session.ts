// POST /auth/session: username and password for a cookie and an access token; the session of the cookie before ends.
import { replaceSession, type ReplaceSessionDeps } from '../../auth/replace-session.ts'
import { credentials } from '../credentials.ts'
import type { Endpoint } from '../endpoint.ts'
import { readJson } from '../json-body.ts'
import type { OriginOf } from '../origin.ts'
import { readCookie, setCookie } from './cookie.ts'
import { csrfTokenOf, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'

export function postSession(deps: ReplaceSessionDeps & ForgeryDeps & OriginOf): Endpoint['handler'] {
  return async (ctx) => {
    // Also here: a foreign page must not log a visitor in as somebody else.
    requireOwnOrigin(deps, ctx)
    const { username, password } = readJson(ctx, credentials)
    const origin = deps.originOf(ctx)
    const { user, sid, access, refresh } = await replaceSession(deps, {
      username,
      password,
      rotates: true,
      origin,
      heldToken: readCookie(ctx),
    })

    setCookie(ctx, refresh.token)
    ctx.body = {
      access: access.token,
      expires_in: access.expiresIn,
      csrf_token: csrfTokenOf(deps, sid),
      user,
    }
  }
}
