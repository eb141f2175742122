// The route that a request has matched, as its pattern: bounded in kinds, and none of the caller's text.
import type { Context } from 'koa'

/** As `/api/v1/auth/sessions/:id`; `none` where there is none. */
export function routeOf(ctx: Context): string {
  return (ctx as { _matchedRoute?: string })._matchedRoute ?? 'none'
}
