// The files of the page /docs: Swagger UI from its package, and the little that is ours.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'

/** A file as it is answered. */
export interface PageFile {
  contentType: string
  plain: FileContent
  /** Resolves to what is sent to those who take gzip; the same each time. `null` where it would be no shorter. */
  packed: (() => Promise<FileContent>) | null
}

export interface FileContent {
  bytes: Buffer
  /** Quoted, as HTTP wants it; another one for each encoding (RFC 9110 section 8.8.3.3). */
  etag: string
}

const pack = promisify(gzip)
const MOST_PACKED = constants.Z_BEST_COMPRESSION

const FROM_PACKAGE = ['swagger-ui-bundle.js', 'swagger-ui.css', 'favicon-32x32.png'] as const

export const ASSET_NAMES = [...FROM_PACKAGE, 'start.js'] as const

/** By extension. Named in full: with nosniff, browsers run and apply nothing else. */
const CONTENT_TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  png: 'image/png',
}

/** HTML. Paths from the root, so that they are right for /docs and for /docs/. */
export const PAGE_HTML = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Signoff: the API</title>
  <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
  <link rel="stylesheet" href="/docs/swagger-ui.css">
  <script src="/docs/swagger-ui-bundle.js" defer></script>
  <script src="/docs/start.js" defer></script>
</head>
<body>
  <div id="swagger-ui"></div>
</body>
</html>
`

// No validator: it would send the description to somebody else's service.
const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
})
`

/** By name. Throws when the package is not complete. */
export function readAssets(): ReadonlyMap<string, PageFile> {
  const require = createRequire(import.meta.url)
  const folder = path.dirname(require.resolve('swagger-ui-dist/package.json'))
  const files = FROM_PACKAGE.map((name): [string, string | Buffer] => [
    name,
    readFileSync(path.join(folder, name)),
  ])
  files.push(['start.js', START])
  return new Map(files.map(([name, content]) => [name, pageFile(contentTypeOf(name), content)]))
}

export function pageFile(contentType: string, content: string | Buffer): PageFile {
  const plain = fileContent(Buffer.from(content))
  let packed: Promise<FileContent> | undefined
  return {
    contentType,
    plain,
    // Images are packed already.
    packed: contentType.startsWith('image/')
      ? null
      : async () => await (packed ??= pack(plain.bytes, { level: MOST_PACKED }).then(fileContent)),
  }
}

function fileContent(bytes: Buffer): FileContent {
  return { bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` }
}

function contentTypeOf(name: string): string {
  return CONTENT_TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}
