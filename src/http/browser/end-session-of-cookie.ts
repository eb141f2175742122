// POST /auth/logout with the session cookie: ends this session, or all of the user's.
import type { Context } from 'koa'
import { endAllSessions, endSession } from '../../auth/end-session.ts'
import { type LogoutDeps } from '../../auth/logout.ts'
import { verifyRefreshToEnd } from '../../auth/verify-to-end.ts'
import { InvalidInputError } from '../errors.ts'
import type { OriginOf } from '../origin.ts'
import { clearCookie, type CookieDeps } from './cookie.ts'
import { cookieLogoutFields } from './fields.ts'
import { requireCsrfToken, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'

export interface CookieLogout {
  /** What the cookie holds. */
  token: string
  fields: Record<string, unknown>
}

/** Answers the request. Rejects as `logout` does, or with the 403 for a forged one. */
export async function endSessionOfCookie(
  deps: LogoutDeps & ForgeryDeps & CookieDeps & OriginOf,
  ctx: Context,
  { token, fields }: CookieLogout,
): Promise<void> {
  requireOwnOrigin(deps, ctx)
  const claims = verifyRefreshToEnd(deps.tokens, token)
  requireCsrfToken(deps, ctx, claims.sid)

  const end = meansAllDevices(ctx, fields) ? endAllSessions : endSession
  await end(deps, { claims, origin: deps.originOf(ctx) })
  clearCookie(deps, ctx)
  ctx.body = { message: 'Logout successful' }
}

/** Refuses what it does not understand: a person who wants all devices out must not be told that they are. */
function meansAllDevices(ctx: Context, fields: Record<string, unknown>): boolean {
  const results = [fields, ctx.query].map((source) => cookieLogoutFields.safeParse(source))
  if (!results.every(({ success }) => success)) {
    throw new InvalidInputError([{ field: 'all_devices', message: 'true or false is expected.' }])
  }
  return results.some(({ data }) => data?.all_devices === true || data?.all_devices === 'true')
}
