// POST /api/v1/auth/refresh: a refresh token for the next pair.
import { z } from 'zod'
import { refreshRotating, type RefreshDeps } from '../../auth/sessions/refresh.ts'
import { answers, takes } from '../describe/answers.ts'
import { REFRESH_TOKEN } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { token } from '../request/credentials.ts'
import { readJson } from '../request/json-body.ts'
import { pair, PAIR, pairOf } from './pair.ts'
import { BAD_TOKEN, MALFORMED, missing, refused } from './refusals.ts'
import { TAGS } from './tags.ts'

const body = z.object({ refresh_token: token })

const operation: Operation = {
  operationId: 'refresh',
  summary: 'Refresh the pair of tokens',
  description:
    'The refresh token is used up: within a few seconds it gets the same successor again, later it ends the session.',
  tags: TAGS,
  security: [],
  requestBody: takes(body, { refresh_token: REFRESH_TOKEN }),
  responses: {
    '200': answers('The next pair of the session.', pair, PAIR),
    ...refused({ rules: BAD_TOKEN, http: MALFORMED, problems: [missing('refresh_token')] }),
  },
}

export function postRefresh(deps: RefreshDeps & CallerOf): Endpoint {
  return {
    method: 'POST',
    path: '/api/v1/auth/refresh',
    operation,
    handler: async (ctx) => {
      const { refresh_token: presented } = readJson(ctx, body)
      const next = await refreshRotating(deps, { token: presented, caller: deps.callerOf(ctx) })
      ctx.body = pairOf(next)
    },
  }
}
