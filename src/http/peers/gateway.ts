// The check for gateways, /auth/check: whether a request may pass, and whose it is (nginx auth_request, forward_auth).
import { authenticate, type AuthenticateDeps } from '../../auth/verify-access.ts'
import { bearerToken } from '../bearer-token.ts'
import { answerEmpty } from '../empty-answer.ts'
import type { Dialect, Endpoint } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { gatewayErrors, tokenMissing } from './errors.ts'
import { headerText } from './header-text.ts'
import { check } from './operations.ts'

export function gateway(deps: AuthenticateDeps): Dialect {
  const handler = checkRequest(deps)
  return {
    errors: gatewayErrors,
    // Gateways ask with the method, and some with the body, of the request that they hold.
    endpoints: [{ method: 'GET', path: '/auth/check', operation: check, handler, takesAnything: true }],
  }
}

function checkRequest(deps: AuthenticateDeps): Endpoint['handler'] {
  return async (ctx) => {
    const token = bearerToken(ctx)
    if (token === null) throw new RefusalError(tokenMissing)

    const { sub, sid, scope } = await authenticate(deps, token)
    ctx.set({
      'X-Auth-User': headerText(sub),
      'X-Auth-Session': headerText(sid),
      'X-Auth-Role': headerText(scope),
    })
    answerEmpty(ctx)
  }
}
