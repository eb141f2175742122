// GET /healthz: whether the process lives.
import { z } from 'zod'
import { answers } from '../describe/answers.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { TAGS } from './tags.ts'

const body = z.object({ status: z.literal('ok') })

const HEALTHY: z.infer<typeof body> = { status: 'ok' }

const operation: Operation = {
  operationId: 'checkHealth',
  summary: 'Tell whether the process lives',
  tags: TAGS,
  security: [],
  responses: { '200': answers('It does.', body, HEALTHY) },
}

export function getHealthz(): Endpoint {
  return {
    method: 'GET',
    path: '/healthz',
    operation,
    handler: (ctx) => {
      ctx.body = HEALTHY
    },
  }
}
