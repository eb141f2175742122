// POST /auth/logout with the session cookie: ends this session, or others of its user.
import type { Context } from 'koa'
import { endScope } from '../../auth/sessions/end-session.ts'
import { type LogoutDeps } from '../../auth/sessions/logout.ts'
import { verifyRefreshToEnd } from '../../auth/tokens/verify-to-end.ts'
import { readLogoutScope } from '../request/logout-scope.ts'
import type { CallerOf } from '../request/caller.ts'
import { clearCookie, type CookieDeps } from './cookie.ts'
import { requireCsrfToken, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'

export interface CookieLogout {
  /** The token that the cookie holds. */
  token: string
  fields: Record<string, unknown>
}

/** The body of the success. */
export const loggedOut = { message: 'Logout successful' }

/** Answers the request. Rejects as `logout` does, or with the 403 for a forged one. */
export async function endSessionOfCookie(
  deps: LogoutDeps & ForgeryDeps & CookieDeps & CallerOf,
  ctx: Context,
  { token, fields }: CookieLogout,
): Promise<void> {
  requireOwnOrigin(deps, ctx)
  const claims = verifyRefreshToEnd(deps.tokens, token)
  requireCsrfToken(deps, ctx, claims.sid)

  const scope = readLogoutScope(ctx, fields)
  await endScope(deps, scope, { claims, caller: deps.callerOf(ctx) })
  if (scope !== 'others') clearCookie(deps, ctx)
  ctx.body = loggedOut
}
