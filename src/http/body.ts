// Reads request bodies as bytes, bounded; what they mean is for each dialect to say.
import bodyParser from 'koa-bodyparser'
import type { Context, Middleware } from 'koa'

/** As bytes, after content decoding. */
const LIMIT = '16kb'

/** Leaves the body's bytes to `bodyOf`. Throws an error whose `status` is 400, 413 or 415. */
export function readBody(): Middleware {
  const options = {
    enableTypes: ['text'],
    extendTypes: { text: ['*/*'] },
    textLimit: LIMIT,
    // Bytes, not text: decoding leniently would hide bad UTF-8.
    encoding: null,
    onerror: (error: Error) => {
      throw Object.assign(error, { status: 'status' in error ? error.status : 400 })
    },
  }
  return bodyParser(options)
}

/** The bytes that `readBody` found; empty when there was no body. */
export function bodyOf(ctx: Context): Uint8Array {
  const raw: unknown = ctx.request.rawBody
  return raw instanceof Uint8Array ? raw : new Uint8Array()
}
