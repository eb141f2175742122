// GET /openapi.json: the description of the service.
import { z } from 'zod'
import { answers } from '../describe/answers.ts'
import { openApiDocument, type DescribedEndpoint } from '../describe/document.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { pageFile, type PageFile } from './assets.ts'
import { notModified, sendFile } from './send-file.ts'
import { TAGS } from './tags.ts'

export interface GetDescriptionDeps {
  /** All that are described; asked once, when the description is. */
  endpoints: () => readonly DescribedEndpoint[]
  /** Of this program. */
  version: string
}

const operation: Operation = {
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

export function getDescription(deps: GetDescriptionDeps): Endpoint {
  let description: PageFile | undefined
  return {
    method: 'GET',
    path: '/openapi.json',
    operation,
    handler: async (ctx) => {
      description ??= describe(deps)
      await sendFile(ctx, description)
    },
  }
}

function describe({ endpoints, version }: GetDescriptionDeps): PageFile {
  const document = openApiDocument({ endpoints: endpoints(), version })
  return pageFile('application/json', JSON.stringify(document))
}
