// POST /auth/session/refresh: the cookie for a new access token; the cookie is replaced.
import { z } from 'zod'
import { refreshRotating, type RefreshDeps } from '../../auth/sessions/refresh.ts'
import { verifyRefresh } from '../../auth/tokens/verify-refresh.ts'
import { answers, headers } from '../describe/answers.ts'
import { ACCESS_TOKEN, ACCESS_TOKEN_SECONDS } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { requireCookie, setCookie, type CookieDeps } from './cookie.ts'
import { refusedWithCookie } from './refusals.ts'
import { forged, requireCsrfToken, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'
import { TAGS } from './tags.ts'

export type PostRefreshDeps = RefreshDeps & ForgeryDeps & CookieDeps & CallerOf

const operation: Operation = {
  operationId: 'refreshBrowserSession',
  summary: 'Refresh the access token by the cookie',
  description:
    'The cookie is replaced by its successor, which outlives the browser where the login said so (`remember_me`).',
  tags: TAGS,
  security: [{ sessionCookie: [], csrfToken: [] }],
  responses: {
    '200': {
      ...answers('The new access token.', z.object({ access: z.string(), expires_in: z.int() }), {
        access: ACCESS_TOKEN,
        expires_in: ACCESS_TOKEN_SECONDS,
      }),
      headers: headers('Set-Cookie'),
    },
    ...refusedWithCookie(forged),
  },
}

export function postRefresh(deps: PostRefreshDeps): Endpoint {
  return {
    method: 'POST',
    path: '/auth/session/refresh',
    operation,
    handler: async (ctx) => {
      requireOwnOrigin(deps, ctx)
      const token = requireCookie(ctx)
      requireCsrfToken(deps, ctx, verifyRefresh(deps.tokens, token).sid)

      const { claims, access, refresh } = await refreshRotating(deps, { token, caller: deps.callerOf(ctx) })
      setCookie(deps, ctx, { refresh, isPersistent: claims.persistent === true })
      ctx.body = { access: access.token, expires_in: access.expiresIn }
    },
  }
}
