// Reads request bodies as bytes, bounded; what they mean is for each dialect to say.
import type { IncomingMessage } from 'node:http'
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

/** The bytes that `readBody` found; `null` when there was no body, or an empty one. */
export function bodyOf(ctx: Context): Uint8Array | null {
  const raw: unknown = ctx.request.rawBody
  if (raw instanceof Uint8Array) return raw.length > 0 ? raw : null
  // A body that names no content type is left unread.
  return hasBody(ctx.req) ? new Uint8Array() : null
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
