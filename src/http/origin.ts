// Who asked: address and user agent, bounded.
import type { Context } from 'koa'
import type { Origin } from '../auth/ports.ts'

const MAX_USER_AGENT = 512

export function originOf(ctx: Context): Origin {
  return {
    ipAddress: (ctx.req.socket.remoteAddress ?? 'unknown').replace(/^::ffff:/, ''),
    userAgent: ctx.get('User-Agent').slice(0, MAX_USER_AGENT) || null,
  }
}
