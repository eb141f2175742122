// POST /auth/token/verify/: whether a token of either kind is good.
import { z } from 'zod'
import type { RefreshDeps } from '../../auth/sessions/refresh.ts'
import { verifyToken } from '../../auth/tokens/verify-token.ts'
import { answers, takes } from '../describe/answers.ts'
import { ACCESS_TOKEN } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { atBothPaths } from './at-both-paths.ts'
import { trimmed, validateFields } from './fields.ts'
import { MEDIA_TYPES, parseBody } from './parse-body.ts'
import { refused } from './refusals.ts'
import { TAGS } from './tags.ts'

export const verifyFields = z.object({ token: trimmed })

const operation: Operation = {
  operationId: 'verifyToken',
  summary: 'Tell whether a token of either kind is good',
  tags: TAGS,
  security: [],
  requestBody: takes(verifyFields, { token: ACCESS_TOKEN }, MEDIA_TYPES),
  responses: {
    '200': answers('It is good, and its session is alive.', z.object({}), {}),
    ...refused(verifyFields, ['token_invalid', 'token_expired', 'token_denied']),
  },
}

export function postVerify(deps: RefreshDeps): Endpoint[] {
  return atBothPaths({
    method: 'POST',
    path: '/auth/token/verify',
    guidePath: '/api/token/verify',
    operation,
    handler: async (ctx) => {
      const { token } = validateFields(verifyFields, await parseBody(ctx))
      await verifyToken(deps, token)
      ctx.body = {}
    },
  })
}
