// GET /readyz/traffic: whether requests are to be sent to this instance. What it can answer slowly, it can answer.
import { z } from 'zod'
import { answers, headers } from '../describe/answers.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { answer } from '../errors.ts'
import type { GetReadyzDeps } from './get-readyz.ts'
import { TAGS } from './tags.ts'

const body = z.object({ status: z.enum(['ready', 'not ready']) })

const operation: Operation = {
  operationId: 'checkTraffic',
  summary: 'Tell whether this instance can answer requests',
  description:
    'For load balancers and readiness probes: it stays 200 while Redis is away, since Postgres is asked then, and ' +
    'while Postgres is away and Redis is in line, since checks and refreshes go on. `/readyz` says what is wrong.',
  tags: TAGS,
  security: [],
  responses: {
    '200': answers('It can.', body, { status: 'ready' }),
    '503': {
      ...answers('It is stopping, or has no store to go by.', body, { status: 'not ready' }),
      headers: headers('Retry-After'),
    },
  },
}

export function getReadyzTraffic({ readiness, isRetired }: GetReadyzDeps): Endpoint {
  return {
    method: 'GET',
    path: '/readyz/traffic',
    operation,
    handler: async (ctx) => {
      const { postgres, redis, denylist } = await readiness()
      const hasStore = postgres === 'ok' || (redis === 'ok' && denylist === 'ok')
      const isReady = hasStore && !isRetired()
      const said: z.infer<typeof body> = { status: isReady ? 'ready' : 'not ready' }
      answer(ctx, { status: isReady ? 200 : 503, body: said })
    },
  }
}
