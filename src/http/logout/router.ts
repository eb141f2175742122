// POST /auth/logout: one endpoint for whichever credential is presented, each answered in its own dialect.
import type { Context } from 'koa'
import type { LogoutDeps } from '../../auth/logout.ts'
import type { SystemLog } from '../../ops/log.ts'
import { bodyOf } from '../body.ts'
import { readCookie } from '../browser/cookie.ts'
import { endSessionOfCookie } from '../browser/end-session.ts'
import { browserLogoutErrors, notAuthenticated } from '../browser/errors.ts'
import type { ForgeryDeps } from '../browser/request-forgery.ts'
import type { Dialect } from '../endpoint.ts'
import { answerErrors, RefusalError } from '../errors.ts'
import type { OriginOf } from '../origin.ts'
import { endSessionOfToken, namesRefreshToken } from '../token-api/end-session.ts'
import { logoutErrors } from '../token-api/errors.ts'
import { parseBody } from '../token-api/parse-body.ts'
import { logout } from './operations.ts'

export type LogoutEndpointDeps = LogoutDeps & ForgeryDeps & OriginOf & { log: SystemLog }

export function logoutEndpoint(deps: LogoutEndpointDeps): Dialect {
  const inBrowserWords = answerErrors(browserLogoutErrors, deps.log)
  const handler = async (ctx: Context): Promise<void> => {
    const fields = await parseBody(ctx)
    const cookie = readCookie(ctx)
    if (namesRefreshToken(fields)) await endSessionOfToken(deps, ctx, fields)
    else if (cookie !== null) {
      await inBrowserWords(ctx, async () => {
        await endSessionOfCookie(deps, ctx, { token: cookie, fields })
      })
    } else if (bodyOf(ctx)) await endSessionOfToken(deps, ctx, fields)
    else throw new RefusalError(notAuthenticated)
  }
  return {
    errors: logoutErrors,
    endpoints: [{ method: 'POST', path: '/auth/logout', operation: logout, handler }],
  }
}
