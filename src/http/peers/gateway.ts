// The check for gateways, /auth/check: whether a request may pass, and whose it is (nginx auth_request, forward_auth).
import type { Context } from 'koa'
import { readSession, type ReadSessionDeps } from '../../auth/sessions/read-session.ts'
import { authenticate, type AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import { bearerToken } from '../request/bearer-token.ts'
import { readCookie } from '../browser/cookie.ts'
import { answerEmpty } from '../empty-answer.ts'
import type { Dialect, Endpoint } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { gatewayErrors, tokenMissing } from './errors.ts'
import { headerText } from './header-text.ts'
import { check } from './operations.ts'

export interface GatewayDeps extends AuthenticateDeps, ReadSessionDeps {
  /** `GATEWAY_COOKIE`: whether the session cookie counts where there is no access token. */
  gatewayTakesCookie: boolean
}

export function gateway(deps: GatewayDeps): Dialect {
  const handler = checkRequest(deps)
  return {
    errors: gatewayErrors,
    // Gateways ask with the method, and some with the body, of the request that they hold.
    endpoints: [{ method: 'GET', path: '/auth/check', operation: check, handler, takesAnything: true }],
  }
}

function checkRequest(deps: GatewayDeps): Endpoint['handler'] {
  return async (ctx) => {
    const { user, session, role } = await holderOf(deps, ctx)
    ctx.set({
      'X-Auth-User': headerText(user),
      'X-Auth-Session': headerText(session),
      'X-Auth-Role': headerText(role),
    })
    answerEmpty(ctx)
  }
}

interface Holder {
  user: string
  session: string
  role: string
}

/** Of the access token; without one, of the session cookie, which is read and never used up. */
async function holderOf(deps: GatewayDeps, ctx: Context): Promise<Holder> {
  const token = bearerToken(ctx)
  if (token !== null) {
    const { sub, sid, scope } = await authenticate(deps, token)
    return { user: sub, session: sid, role: scope }
  }
  const cookie = deps.gatewayTakesCookie && isReading(ctx) ? readCookie(ctx) : null
  if (cookie === null) throw new RefusalError(tokenMissing)
  const { user, session } = await readSession(deps, cookie)
  return { user: user.id, session: session.id, role: user.role }
}

/**
 * Whether the gateway says that the request which it holds changes nothing (RFC 9110 section 9.2.1). Browsers send the
 * cookie with what other sites' pages make them ask, too.
 */
function isReading(ctx: Context): boolean {
  return ['GET', 'HEAD'].includes(ctx.get('X-Forwarded-Method'))
}
