// Whether a page of another site sent a request: any page can, with a form that its visitor never sees.
import type { Context } from 'koa'
import { isAllowedOrigin, type AllowedOrigins } from './allowed-origins.ts'

/** As browsers say it, which pages cannot change (Fetch Metadata). Programs that are no browsers say nothing. */
export function comesFromForeignSite(deps: AllowedOrigins, ctx: Context): boolean {
  return ctx.get('Sec-Fetch-Site') === 'cross-site' && !isAllowedOrigin(deps, ctx.get('Origin'))
}
