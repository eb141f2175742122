// How long a caller may take to read an answer: what it leaves unread is held in memory.
import type { Middleware } from 'koa'

/** For the longest answer, a packed script of half a megabyte, over a slow line. */
const READ_MS = 30_000

/**
 * Ends the connection of a caller that has not read its answer within `readMs`, counted from when that was its turn:
 * the answers to requests that were sent before it go first. To be used before everything else.
 */
export function answerDeadline(readMs = READ_MS): Middleware {
  return async (ctx, next) => {
    await next()
    // It has no end; what sends it cuts those who stop reading.
    if (ctx.response.type === 'text/event-stream') return
    const { req, res } = ctx
    // Nothing would tell of its end any more.
    if (req.socket.destroyed) return
    let timer = setTimeout(cut, readMs).unref()
    res.once('close', () => {
      clearTimeout(timer)
    })

    function cut(): void {
      // Of one that never had its turn, nothing tells of the end.
      if (req.socket.destroyed) return
      // An answer has the connection from its turn to its end.
      if (res.socket) req.socket.destroy()
      else timer = setTimeout(cut, readMs).unref()
    }
  }
}
