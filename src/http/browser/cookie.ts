// The session cookie: holds the refresh token where no script can read it.
import type { Context } from 'koa'
import type { SignedRefresh } from '../../auth/ports/tokens.ts'
import type { EpochSeconds } from '../../contract/claims.ts'
import { RefusalError } from '../errors.ts'
import { cookieNotKept, notAuthenticated } from './errors.ts'

/** The prefix makes browsers refuse it from other hosts and over plain HTTP (RFC 6265bis section 4.1.3.2). */
const NAME = '__Host-signoff'

const SAME_SITE = { lax: 'Lax', strict: 'Strict', none: 'None' }

export interface CookieDeps {
  /** `SESSION_COOKIE_SAMESITE`: for which pages' requests browsers keep and send the cookie. */
  cookieSameSite: keyof typeof SAME_SITE
  now: () => EpochSeconds
}

/** The refresh token that the cookie holds, and whether the browser keeps it. */
export interface HeldRefresh {
  refresh: Pick<SignedRefresh, 'token' | 'exp'>
  /** Whether it outlives the browser, for as long as the token lives. */
  isPersistent: boolean
}

export function readCookie(ctx: Context): string | null {
  return ctx.cookies.get(NAME) ?? null
}

/** Throws the refusal of a request without that cookie. */
export function requireCookie(ctx: Context): string {
  const token = readCookie(ctx)
  if (token === null) throw new RefusalError(notAuthenticated)
  return token
}

// Written by hand: Koa refuses `Secure` where TLS ends at a proxy.
export function setCookie(deps: CookieDeps, ctx: Context, { refresh, isPersistent }: HeldRefresh): void {
  const maxAge = isPersistent ? `; Max-Age=${Math.max(0, refresh.exp - deps.now())}` : ''
  ctx.append('Set-Cookie', `${NAME}=${refresh.token}; ${attributesOf(deps)}${maxAge}`)
}

export function clearCookie(deps: CookieDeps, ctx: Context): void {
  ctx.append(
    'Set-Cookie',
    `${NAME}=; ${attributesOf(deps)}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`,
  )
}

/**
 * Throws the 403 `COOKIE_NOT_KEPT` where the browser would drop the cookie of the answer: a page of another site asks,
 * and the cookie is not for those (RFC 6265bis section 5.7). The page would take a success for one.
 */
export function requireCookieKept({ cookieSameSite }: CookieDeps, ctx: Context): void {
  const isOfOtherSite = ctx.get('Sec-Fetch-Site') === 'cross-site'
  if (isOfOtherSite && cookieSameSite !== 'none') throw new RefusalError(cookieNotKept)
}

function attributesOf({ cookieSameSite }: CookieDeps): string {
  return `Path=/; Secure; HttpOnly; SameSite=${SAME_SITE[cookieSameSite]}`
}
