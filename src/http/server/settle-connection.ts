// Reads off or ends the connection of a request that is answered before its body was read, whatever the answer is.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Middleware } from 'koa'

/** So much of an unwanted body is read to keep its connection. A longer or slower one costs the connection. */
const DRAINED_BYTES = 256 * 1024
const DRAIN_MS = 500
/** A caller that still writes has this long to read the answer. */
const LINGER_MS = 2000

/**
 * Before each answer goes out, the rest of the body is read and dropped, so that the next request on the
 * connection is found where it begins. Where the rest is too long, or does not come, the answer says
 * `Connection: close`, and the connection ends. To be used before everything else.
 */
export function settleConnection(): Middleware {
  const ending = new WeakSet<Socket>()
  return async (ctx, next) => {
    const { req } = ctx
    // The caller was told that nothing further is heard, or will be told so: acting on it could not be answered.
    // The connection stays until all before it are answered; nothing more is read meanwhile, however much is sent.
    if (ending.has(req.socket)) {
      ctx.respond = false
      // Node goes on reading at the end of each request: only then it can be stopped.
      queueMicrotask(() => req.socket.pause())
      return
    }
    try {
      await next()
    } finally {
      if (!(await isDrained(req))) {
        ctx.set('Connection', 'close')
        ending.add(req.socket)
        lingerAfterAnswer(req)
      }
    }
  }
}

/** Resolves to whether the body has come to its end. Whatever still comes is dropped. */
async function isDrained(req: IncomingMessage): Promise<boolean> {
  req.resume()
  if (!req.complete && !(Number(req.headers['content-length']) > DRAINED_BYTES)) await drain(req)
  // Asked last: the next request may be under way as soon as this one is complete.
  return req.complete
}

/** Resolves at the end of the body, or when enough of it was dropped. */
async function drain(req: IncomingMessage): Promise<void> {
  await new Promise<void>((resolve) => {
    let bytes = 0
    const timer = setTimeout(done, DRAIN_MS)
    req.on('data', count).once('end', done).once('close', done)

    function count(chunk: Buffer): void {
      bytes += chunk.length
      if (bytes > DRAINED_BYTES) done()
    }

    function done(): void {
      clearTimeout(timer)
      req.off('data', count).off('end', done).off('close', done)
      // Without a listener for its data, a stream stops.
      req.resume()
      resolve()
    }
  })
}

/**
 * Ends the connection in two steps (RFC 9112 section 9.6): Node would close both directions at once, and what a
 * caller has not read by then is lost when it still writes. Node calls this when the answer is sent, and so are those
 * to the requests before it.
 */
function lingerAfterAnswer({ socket }: IncomingMessage): void {
  socket.destroySoon = () => {
    socket.end()
    // No more requests are looked for in what still comes.
    socket.removeAllListeners('data').on('data', drop).resume()
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => {
      clearTimeout(timer)
    })
  }
}

function drop(): void {
  // It is of no use.
}
