// The session cookie: holds the refresh token where no script can read it.
import type { Context } from 'koa'

/** The prefix makes browsers refuse it from other hosts and over plain HTTP (RFC 6265bis section 4.1.3.2). */
const NAME = '__Host-signoff'
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax'

export function readCookie(ctx: Context): string | null {
  return ctx.cookies.get(NAME) ?? null
}

// Written by hand: Koa refuses `Secure` where TLS ends at a proxy.
export function setCookie(ctx: Context, refreshToken: string): void {
  ctx.append('Set-Cookie', `${NAME}=${refreshToken}; ${ATTRIBUTES}`)
}

export function clearCookie(ctx: Context): void {
  ctx.append('Set-Cookie', `${NAME}=; ${ATTRIBUTES}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT`)
}
