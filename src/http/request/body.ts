// Reads request bodies as bytes, bounded; what they mean is for each dialect to say.
import bodyParser from 'koa-bodyparser'
import type { Context, Middleware } from 'koa'
import { HttpError } from '../errors.ts'

/** In bytes. */
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
  const parse = bodyParser(options)
  return async (ctx, next) => {
    refuseEncoded(ctx)
    // The parser compares letter by letter.
    delete ctx.req.headers['content-encoding']
    // The parser leaves a body without a readable type alone, however long it is.
    if (ctx.request.is('*/*') === false) ctx.req.headers['content-type'] = 'application/octet-stream'
    await parse(ctx, next)
  }
}

/**
 * Nothing is unpacked: a few bytes may stand for many. The answer says so in a header of its own (RFC 9110
 * section 15.5.16).
 */
function refuseEncoded(ctx: Context): void {
  const hasBody = ctx.request.is('*/*') !== null
  const encoding = ctx.get('Content-Encoding').trim().toLowerCase()
  if (!hasBody || encoding === '' || encoding === 'identity') return
  ctx.set('Accept-Encoding', 'identity')
  throw new HttpError(415, 'an encoded body')
}

/** The bytes that `readBody` found; `null` when there were none. */
export function bodyOf(ctx: Context): Uint8Array | null {
  const raw: unknown = ctx.request.rawBody
  return raw instanceof Uint8Array && raw.length > 0 ? raw : null
}
