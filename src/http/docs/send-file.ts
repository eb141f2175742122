// Answers with a file of the page or the description: in small pieces, packed where it may be, or not at all where the caller has it.
import { Readable } from 'node:stream'
import type { Context } from 'koa'
import type { ZodOpenApiResponseObject } from 'zod-openapi'
import type { PageFile } from './assets.ts'

/** Short: after an upgrade, page and description are to change together. */
const MAX_AGE_SECONDS = 60

const PIECE_BYTES = 16 * 1024

/** Describes the 304. */
export const notModified: ZodOpenApiResponseObject = {
  description: 'The copy that the caller has is still right.',
}

export async function sendFile(ctx: Context, { contentType, plain, packed }: PageFile): Promise<void> {
  const takesPacked = packed !== null && ctx.acceptsEncodings('gzip', 'identity') === 'gzip'
  const { bytes, etag } = takesPacked ? await packed() : plain
  ctx.status = 200
  ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
  ctx.vary('Accept-Encoding')
  ctx.set('ETag', etag)
  if (ctx.fresh) {
    ctx.status = 304
    return
  }
  ctx.body = Readable.from(pieces(bytes), { objectMode: false })
  ctx.length = bytes.length
  ctx.set('Content-Type', contentType)
  if (takesPacked) ctx.set('Content-Encoding', 'gzip')
}

/** In one go, TLS would make a copy of the whole for each caller, and keep it for those that do not read. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    yield bytes.subarray(start, start + PIECE_BYTES)
  }
}
