// How long a caller may take to read an answer: what it leaves unread is held in memory.
import type { Middleware } from 'koa'

/** For the longest answer, a packed script of half a megabyte, over a slow line. */
const READ_MS = 30_000

/** Ends the connection of a caller that has not read its answer within `readMs`. To be used before everything else. */
export function answerDeadline(readMs = READ_MS): Middleware {
  return async (ctx, next) => {
    await next()
    // It has no end; what sends it cuts those who stop reading.
    if (ctx.response.type === 'text/event-stream') return
    // Nothing would tell of its end any more.
    if (ctx.req.socket.destroyed) return
    const timer = setTimeout(() => ctx.req.socket.destroy(), readMs).unref()
    ctx.res.once('close', () => {
      clearTimeout(timer)
    })
  }
}
