// Whether a page of another site sent a request: any page can, with a form that its visitor never sees.
import type { Context } from 'koa'

export interface AllowedOrigins {
  /** Origins of pages that may act for their visitors, besides those of this very host. */
  allowedOrigins: readonly string[]
}

/** As browsers say it, which pages cannot change (Fetch Metadata). Programs that are no browsers say nothing. */
export function comesFromForeignSite({ allowedOrigins }: AllowedOrigins, ctx: Context): boolean {
  return ctx.get('Sec-Fetch-Site') === 'cross-site' && !allowedOrigins.includes(ctx.get('Origin'))
}
