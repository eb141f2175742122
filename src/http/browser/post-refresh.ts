// POST /auth/session/refresh: the cookie for a new access token; the cookie is replaced.
import { refreshRotating, type RefreshDeps } from '../../auth/sessions/refresh.ts'
import { verifyRefresh } from '../../auth/tokens/verify-refresh.ts'
import type { Endpoint } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { requireCookie, setCookie, type CookieDeps } from './cookie.ts'
import { requireCsrfToken, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'

export function postRefresh(deps: RefreshDeps & ForgeryDeps & CookieDeps & CallerOf): Endpoint['handler'] {
  return async (ctx) => {
    requireOwnOrigin(deps, ctx)
    const token = requireCookie(ctx)
    requireCsrfToken(deps, ctx, verifyRefresh(deps.tokens, token).sid)

    const { claims, access, refresh } = await refreshRotating(deps, {
      token,
      caller: deps.callerOf(ctx),
    })
    setCookie(deps, ctx, { refresh, isPersistent: claims.persistent === true })
    ctx.body = { access: access.token, expires_in: access.expiresIn }
  }
}
