// Koa: lets nobody pass without a live access token.
import type { Verifier } from '../create-verifier.ts'
import { bearerToken } from './bearer-token.ts'
import { refusalOf } from './refusal.ts'

/** The part of Koa's context that is used. */
export interface KoaContext {
  get: (header: string) => string
  set: (headers: Record<string, string>) => void
  status: number
  body: unknown
  state: object
}

/**
 * Puts the claims (`AccessClaims`) in `ctx.state.auth`. Answers 401 (`WWW-Authenticate: Bearer`) or, when it
 * cannot be told whether the token is good, 503 (`Retry-After: 1`), with `{"error":"<code>"}`.
 */
export function koaAuth(
  verifier: Pick<Verifier, 'verify'>,
): (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void> {
  return async (ctx, next) => {
    try {
      Object.assign(ctx.state, { auth: await verifier.verify(bearerToken(ctx.get('Authorization'))) })
    } catch (error) {
      const { status, headers, body } = refusalOf(error)
      ctx.status = status
      ctx.set(headers)
      ctx.body = body
      return
    }
    await next()
  }
}
