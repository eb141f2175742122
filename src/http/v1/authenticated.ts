// Lets in who has a live access token: how such an endpoint is described, and how its handler learns whose it is.
import type { Context } from 'koa'
import { authenticate, type AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import type { AccessClaims } from '../../contract/claims.ts'
import type { Endpoint } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { bearerToken } from '../request/bearer-token.ts'
import { tokenMissing } from './errors.ts'
import { TAGS } from './tags.ts'

export const ASKED_WITH_ACCESS_TOKEN = { tags: TAGS, security: [{ bearer: [] }] }

/** The refusal of a request without an access token, by the name of its example. */
export const TOKEN_MISSING = { token_missing: tokenMissing }

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
