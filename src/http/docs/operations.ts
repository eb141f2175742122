// Describes the description itself, and its page.
import { z } from 'zod'
import type { ZodOpenApiResponseObject } from 'zod-openapi'
import type { Operation } from '../endpoint.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { detail } from '../token-api/refusals.ts'
import { answers, refusals } from '../describe/answers.ts'
import { ASSET_NAMES } from './assets.ts'

const TAGS = ['Description']

const notModified: ZodOpenApiResponseObject = { description: 'The copy that the caller has is still right.' }

export const description: Operation = {
  operationId: 'readDescription',
  summary: 'Read this description (OpenAPI 3.1)',
  tags: TAGS,
  security: [],
  responses: {
    '200': answers(
      'The description.',
      z.looseObject({
        openapi: z.string(),
        info: z.looseObject({ title: z.string(), version: z.string() }),
        paths: z.looseObject({}),
      }),
      { openapi: '3.1.1', info: { title: 'Signoff', version: '1.0.0' }, paths: {} },
    ),
    '304': notModified,
  },
}

export const page: Operation = {
  operationId: 'showDescription',
  summary: 'Show this description as a page, and try it out',
  tags: TAGS,
  security: [],
  responses: {
    '200': {
      description: 'The page. It takes nothing from anywhere else.',
      content: { 'text/html': { schema: z.string(), examples: { page: { externalValue: '/docs' } } } },
    },
    '304': notModified,
  },
}

export const asset: Operation = {
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
