// GET /auth/check, for gateways: whether a request may pass, and whose it is (nginx auth_request, forward_auth).
import type { Context } from 'koa'
import { z } from 'zod'
import { readSession, type ReadSessionDeps } from '../../auth/sessions/read-session.ts'
import { authenticate, type AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import { readCookie } from '../browser/cookie.ts'
import { headers, refusals } from '../describe/answers.ts'
import { answerEmpty } from '../empty-answer.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { TAGS } from '../oauth/tags.ts'
import { bearerToken } from '../request/bearer-token.ts'
import { gatewayErrors, tokenMissing } from './errors.ts'
import { headerText } from './header-text.ts'

export interface GetCheckDeps extends AuthenticateDeps, ReadSessionDeps {
  /** `GATEWAY_COOKIE`: whether the session cookie counts where there is no access token. */
  gatewayTakesCookie: boolean
}

const operation: Operation = {
  operationId: 'checkRequest',
  summary: 'Tell a gateway whether a request may pass, and whose it is',
  description: [
    'For nginx `auth_request`, Caddy `forward_auth`, Traefik and Envoy. Every method is answered alike, and a body',
    'is not read. What is not visible ASCII in a role is percent-encoded. With `GATEWAY_COOKIE=on` the session cookie',
    'counts where there is no token and `X-Forwarded-Method` is GET or HEAD.',
  ].join(' '),
  tags: TAGS,
  security: [{ bearer: [] }],
  responses: {
    '200': {
      description:
        'It may: the access token, or the cookie, is good, and its session is alive. Without a body.',
      headers: headers('X-Auth-User', 'X-Auth-Session', 'X-Auth-Role'),
    },
    ...refusals({
      errors: gatewayErrors,
      schema: z.object({ error: z.string() }),
      rules: ['token_invalid', 'token_expired', 'token_denied', 'unavailable'],
      http: [500],
      others: { token_missing: tokenMissing },
    }),
  },
}

export function getCheck(deps: GetCheckDeps): Endpoint {
  return {
    method: 'GET',
    path: '/auth/check',
    // Gateways ask with the method, and some with the body, of the request that they hold.
    takesAnything: true,
    operation,
    handler: async (ctx) => {
      const { user, session, role } = await holderOf(deps, ctx)
      ctx.set({
        'X-Auth-User': headerText(user),
        'X-Auth-Session': headerText(session),
        'X-Auth-Role': headerText(role),
      })
      answerEmpty(ctx)
    },
  }
}

interface Holder {
  user: string
  session: string
  role: string
}

/** Of the access token; without one, of the session cookie, which is read and never used up. */
async function holderOf(deps: GetCheckDeps, ctx: Context): Promise<Holder> {
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
