// POST /auth/logout: one endpoint for whichever credential is presented, each answered in its own dialect.
import type { Context } from 'koa'
import type { LogoutDeps } from '../../auth/sessions/logout.ts'
import type { SystemLog } from '../../ops/log.ts'
import { bodyOf } from '../request/body.ts'
import { readCookie, type CookieDeps } from '../browser/cookie.ts'
import { endSessionOfCookie } from '../browser/end-session-of-cookie.ts'
import { browserLogoutErrors, notAuthenticated } from '../browser/errors.ts'
import type { ForgeryDeps } from '../browser/request-forgery.ts'
import type { Dialect } from '../endpoint.ts'
import { answerErrors, RefusalError, type DialectErrors } from '../errors.ts'
import type { CallerOf } from '../request/caller.ts'
import { endSessionOfToken, namesRefreshToken } from '../token-api/end-session-of-token.ts'
import { logoutErrors } from '../token-api/errors.ts'
import { parseBody, parseBodyPlainly } from '../token-api/parse-body.ts'
import { logout } from './operations.ts'

export type LogoutEndpointDeps = LogoutDeps & ForgeryDeps & CookieDeps & CallerOf & { log: SystemLog }

export function logoutEndpoint(deps: LogoutEndpointDeps): Dialect {
  const inBrowserWords = answerErrors(browserLogoutErrors, deps.log)
  const inTokenApiWords = answerErrors(logoutErrors, deps.log)
  const handler = async (ctx: Context): Promise<void> => {
    const token = readCookie(ctx)
    if (token === null) await withoutCookie(ctx)
    else {
      await inBrowserWords(ctx, async () => {
        await withCookie(ctx, token)
      })
    }
  }

  async function withoutCookie(ctx: Context): Promise<void> {
    if (!bodyOf(ctx)) throw new RefusalError(notAuthenticated)
    await endSessionOfToken(deps, ctx, await parseBody(ctx))
  }

  async function withCookie(ctx: Context, token: string): Promise<void> {
    const fields = await parseBodyPlainly(ctx)
    if (!namesRefreshToken(fields)) await endSessionOfCookie(deps, ctx, { token, fields })
    else {
      await inTokenApiWords(ctx, async () => {
        await endSessionOfToken(deps, ctx, fields)
      })
    }
  }

  return {
    errors: wordsByCookie,
    endpoints: [{ method: 'POST', path: '/auth/logout', operation: logout, handler }],
  }
}

/** For what goes wrong before anybody looks at the body. */
const wordsByCookie: DialectErrors = {
  rules: logoutErrors.rules,
  http: (status, ctx, problems) =>
    (readCookie(ctx) === null ? logoutErrors : browserLogoutErrors).http(status, ctx, problems),
}
