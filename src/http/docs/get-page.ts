// GET /docs: the page that shows the description.
import { z } from 'zod'
import type { Endpoint, Operation } from '../endpoint.ts'
import { PAGE_HTML, pageFile, type PageFile } from './assets.ts'
import { notModified, sendFile } from './send-file.ts'
import { TAGS } from './tags.ts'

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

const operation: Operation = {
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

export function getPage(): Endpoint {
  let page: PageFile | undefined
  return {
    method: 'GET',
    path: '/docs',
    operation,
    handler: async (ctx) => {
      page ??= pageFile('text/html; charset=utf-8', PAGE_HTML)
      ctx.set('Content-Security-Policy', CONTENT_SECURITY_POLICY)
      await sendFile(ctx, page)
    },
  }
}
