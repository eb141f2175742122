// Describes the endpoints for operators.
import { z } from 'zod'
import type { Operation } from '../endpoint.ts'
import { answers, headers } from '../describe/answers.ts'

const TAGS = ['Operators']

const readiness = z.object({
  status: z.enum(['ready', 'not ready']),
  checks: z.record(z.string(), z.string()).meta({ description: '`ok`, or what is wrong with that part.' }),
  settings: z.string().meta({
    description:
      '`ok`, or which settings that must be the same differ between the instances. It is ready all the same.',
  }),
})

export const healthz: Operation = {
  operationId: 'checkHealth',
  summary: 'Tell whether the process lives',
  tags: TAGS,
  security: [],
  responses: { '200': answers('It does.', z.object({ status: z.literal('ok') }), { status: 'ok' }) },
}

export const readyz: Operation = {
  operationId: 'checkReadiness',
  summary: 'Tell whether everything that requests need is there',
  tags: TAGS,
  security: [],
  responses: {
    '200': answers('It is.', readiness, {
      status: 'ready',
      checks: { postgres: 'ok', redis: 'ok', denylist: 'ok', clock: 'ok' },
      settings: 'ok',
    }),
    '503': {
      ...answers('Some of it is not.', readiness, {
        status: 'not ready',
        checks: { postgres: 'does not answer', redis: 'ok', denylist: 'ok', clock: 'ok' },
        settings: 'ok',
      }),
      headers: headers('Retry-After'),
    },
  },
}
