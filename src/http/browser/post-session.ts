// POST /auth/session: username and password for a cookie and an access token; the session of the cookie before ends.
import { replaceSession, type ReplaceSessionDeps } from '../../auth/sessions/replace-session.ts'
import type { Endpoint } from '../endpoint.ts'
import { readJson } from '../request/json-body.ts'
import type { CallerOf } from '../request/caller.ts'
import { readCookie, requireCookieKept, setCookie, type CookieDeps } from './cookie.ts'
import { loginFields } from './fields.ts'
import { csrfTokenOf, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'

export function postSession(
  deps: ReplaceSessionDeps & ForgeryDeps & CookieDeps & CallerOf,
): Endpoint['handler'] {
  return async (ctx) => {
    // Also here: a foreign page must not log a visitor in as somebody else.
    requireOwnOrigin(deps, ctx)
    requireCookieKept(deps, ctx)
    const { username, password, remember_me: isPersistent = false } = readJson(ctx, loginFields)
    const caller = deps.callerOf(ctx)
    const { user, sid, access, refresh } = await replaceSession(deps, {
      username,
      password,
      rotates: true,
      isPersistent,
      caller,
      heldToken: readCookie(ctx),
    })

    setCookie(deps, ctx, { refresh, isPersistent })
    ctx.body = {
      access: access.token,
      expires_in: access.expiresIn,
      csrf_token: csrfTokenOf(deps, sid),
      user,
    }
  }
}
