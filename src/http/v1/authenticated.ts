// Lets in who has a live access token; the handler learns whose it is.
import type { Context } from 'koa'
import { authenticate, type AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import type { AccessClaims } from '../../contract/claims.ts'
import { bearerToken } from '../request/bearer-token.ts'
import type { Endpoint } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { tokenMissing } from './errors.ts'

export function authenticated(
  deps: AuthenticateDeps,
  handler: (ctx: Context, claims: AccessClaims) => Promise<void>,
): Endpoint['handler'] {
  return async (ctx) => {
    const token = bearerToken(ctx)
    if (token === null) throw new RefusalError(tokenMissing)
    await handler(ctx, await authenticate(deps, token))
  }
}
