// The headers that make browsers careful with every answer: helmet's, written down once instead of made for each request.
import type { Middleware } from 'koa'

/** Nothing here is a page; a dialect that serves one states its own policy. */
const HEADERS = {
  'Content-Security-Policy': "default-src 'none';frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'SAMEORIGIN',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
}

/** For a year (RFC 6797). */
const HSTS = { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' }

/** `sendsHsts`: whether browsers are told to reach this host by HTTPS only. */
export function securityHeaders(sendsHsts: boolean): Middleware {
  const headers = Object.entries({ ...HEADERS, ...(sendsHsts && HSTS) })
  return async (ctx, next) => {
    for (const [name, value] of headers) ctx.res.setHeader(name, value)
    await next()
  }
}
