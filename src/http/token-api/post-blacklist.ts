// POST /auth/token/blacklist/: ends the session behind a refresh token, under SimpleJWT's name for it.
import { z } from 'zod'
import { logout, type LogoutDeps } from '../../auth/sessions/logout.ts'
import { answers, takes } from '../describe/answers.ts'
import { REFRESH_TOKEN } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { requireKnownNames } from '../request/known-names.ts'
import { atBothPaths } from './at-both-paths.ts'
import { refreshFields, validateFields } from './fields.ts'
import { MEDIA_TYPES, parseBody } from './parse-body.ts'
import { BAD_REFRESH_TOKEN, refused } from './refusals.ts'
import { TAGS } from './tags.ts'

const operation: Operation = {
  operationId: 'blacklistToken',
  summary: 'End the session behind a refresh token',
  tags: TAGS,
  security: [],
  requestBody: takes(refreshFields, { refresh: REFRESH_TOKEN }, MEDIA_TYPES),
  responses: {
    '200': answers('The session is over, and every token of it is refused.', z.object({}), {}),
    ...refused(refreshFields, BAD_REFRESH_TOKEN),
  },
}

export function postBlacklist(deps: LogoutDeps & CallerOf): Endpoint[] {
  return atBothPaths({
    method: 'POST',
    path: '/auth/token/blacklist',
    guidePath: '/api/token/blacklist',
    operation,
    handler: async (ctx) => {
      const fields = await parseBody(ctx)
      const { refresh } = validateFields(refreshFields, fields)
      requireKnownNames(ctx, { fields, known: [], knownInBody: ['refresh'] })
      await logout(deps, { refreshToken: refresh, caller: deps.callerOf(ctx) })
      ctx.body = {}
    },
  })
}
