// The description of the service, /openapi.json, and the page that shows it, /docs.
import { Readable } from 'node:stream'
import type { Context } from 'koa'
import type { Dialect } from '../endpoint.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { PAGE_HTML, pageFile, readAssets, type PageFile } from './assets.ts'
import { openApiDocument, type DescribedEndpoint } from '../describe/document.ts'
import * as operations from './operations.ts'
import { HttpError } from '../errors.ts'

export interface OpenApiDeps {
  described: readonly Dialect[]
  /** Of this program. */
  version: string
}

const DESCRIPTION = { method: 'GET', path: '/openapi.json', operation: operations.description } as const
const PAGE = { method: 'GET', path: '/docs', operation: operations.page } as const
const ASSET = { method: 'GET', path: '/docs/:file', operation: operations.asset } as const

/** Short: after an upgrade, page and description are to change together. */
const MAX_AGE_SECONDS = 60

const PIECE_BYTES = 16 * 1024

/** For the page only, which is all that has scripts. It neither takes from nor gives to any other host. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Describes the other dialects and itself. All of it is made when it is first asked for: few processes ever are. */
export function openApi({ described, version }: OpenApiDeps): Dialect {
  const own: DescribedEndpoint[] = [DESCRIPTION, PAGE, ASSET]
  const endpoints = [...described.flatMap((dialect) => dialect.endpoints), ...own]
  const description = once(() =>
    pageFile('application/json', JSON.stringify(openApiDocument({ endpoints, version }))),
  )
  const page = once(() => pageFile('text/html; charset=utf-8', PAGE_HTML))
  const assets = once(readAssets)

  return {
    errors: tokenApiErrors,
    isCacheable: true,
    endpoints: [
      {
        ...DESCRIPTION,
        handler: async (ctx) => {
          await send(ctx, description())
        },
      },
      {
        ...PAGE,
        handler: async (ctx) => {
          ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY)
          await send(ctx, page())
        },
      },
      {
        ...ASSET,
        handler: async (ctx) => {
          const { file } = ctx['params'] as { file: string }
          const asset = assets().get(file)
          if (!asset) throw new HttpError(404, 'no such file')
          await send(ctx, asset)
        },
      },
    ],
  }
}

function once<Made>(make: () => Made): () => Made {
  let made: { value: Made } | undefined
  return () => (made ??= { value: make() }).value
}

async function send(ctx: Context, { contentType, plain, packed }: PageFile): Promise<void> {
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
