// GET /docs/{file}: a file that the page is made of.
import { z } from 'zod'
import { refusals } from '../describe/answers.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { HttpError } from '../errors.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { detail } from '../token-api/refusals.ts'
import { ASSET_NAMES, readAssets } from './assets.ts'
import { notModified, sendFile } from './send-file.ts'
import { TAGS } from './tags.ts'

const operation: Operation = {
  operationId: 'readAsset',
  summary: 'Read a file that the page is made of',
  tags: TAGS,
  security: [],
  requestParams: { path: z.object({ file: z.enum(ASSET_NAMES) }) },
  responses: {
    '200': {
      description: 'The file.',
      content: Object.fromEntries(
        [
          { mediaType: 'text/javascript', file: 'start.js' },
          { mediaType: 'text/css', file: 'swagger-ui.css' },
          { mediaType: 'image/png', file: 'favicon-32x32.png' },
        ].map(({ mediaType, file }) => [
          mediaType,
          { schema: z.string(), examples: { file: { externalValue: `/docs/${file}` } } },
        ]),
      ),
    },
    '304': notModified,
    ...refusals({ errors: tokenApiErrors, schema: detail, http: [404] }),
  },
}

export function getAsset(): Endpoint {
  let assets: ReturnType<typeof readAssets> | undefined
  return {
    method: 'GET',
    path: '/docs/:file',
    operation,
    handler: async (ctx) => {
      const { file } = ctx['params'] as { file: string }
      assets ??= readAssets()
      const asset = assets.get(file)
      if (!asset) throw new HttpError(404, 'no such file')
      await sendFile(ctx, asset)
    },
  }
}
