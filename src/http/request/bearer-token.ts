// The access token in the Authorization header (RFC 6750 section 2.1).
import type { Context } from 'koa'

/** `null` for a missing header, another scheme, and anything but the scheme and one token. */
export function bearerToken(ctx: Context): string | null {
  const [scheme = '', token = '', ...rest] = ctx.get('Authorization').trim().split(/ +/)
  return scheme.toLowerCase() === 'bearer' && token !== '' && rest.length === 0 ? token : null
}
