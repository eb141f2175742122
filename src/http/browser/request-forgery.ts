// Keeps foreign pages from acting with a visitor's cookie: where a request comes from, and the token only our pages know.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import { isAllowedOrigin, type AllowedOrigins } from '../request/allowed-origins.ts'
import { RefusalError } from '../errors.ts'
import { comesFromForeignSite } from '../request/foreign-site.ts'
import { csrfFailed } from './errors.ts'

export interface ForgeryDeps extends AllowedOrigins {
  /** Known to nobody else; the CSRF tokens are made from it. */
  csrfSecret: Uint8Array
}

export const foreignPage = csrfFailed('The request comes from a page of another origin.')

const csrfTokenMissing = csrfFailed('The header X-CSRF-Token is missing.')
const csrfTokenWrong = csrfFailed('The header X-CSRF-Token is not that of this session.')

/** The refusals of an endpoint that changes something, by the name of their examples in the description. */
export const forged = {
  foreign_page: foreignPage,
  csrf_token_missing: csrfTokenMissing,
  csrf_token_wrong: csrfTokenWrong,
}

/** The CSRF token of a session: the same through all its refreshes, and of no use to another one. */
export function csrfTokenOf({ csrfSecret }: ForgeryDeps, sid: string): string {
  return createHmac('sha256', csrfSecret).update(sid).digest('base64url')
}

/** Throws the 403 unless `X-CSRF-Token` is that of the session. */
export function requireCsrfToken(deps: ForgeryDeps, ctx: Context, sid: string): void {
  const given = Buffer.from(ctx.get('X-CSRF-Token'))
  const expected = Buffer.from(csrfTokenOf(deps, sid))
  if (given.length === 0) throw new RefusalError(csrfTokenMissing)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new RefusalError(csrfTokenWrong)
  }
}

/**
 * Throws the 403 when a browser says that the request comes from a foreign page. Programs that are no
 * browsers send neither header, and carry nobody's cookies.
 */
export function requireOwnOrigin(deps: AllowedOrigins, ctx: Context): void {
  const origin = ctx.get('Origin')
  const isForeignOrigin = origin !== '' && origin !== `https://${ctx.host}`
  // Where it is `same-site`, a page of a neighbouring host asks: that needs to be an allowed one.
  const isNeighbour = ctx.get('Sec-Fetch-Site') === 'same-site'
  const isForeign = (isForeignOrigin || isNeighbour) && !isAllowedOrigin(deps, origin)
  if (isForeign || comesFromForeignSite(deps, ctx)) {
    throw new RefusalError(foreignPage)
  }
}
