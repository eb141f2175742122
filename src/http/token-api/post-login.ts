// POST /auth/login/: username and password for a pair.
import { z } from 'zod'
import { login, type LoginDeps } from '../../auth/sessions/login.ts'
import { answers, refusals, takes } from '../describe/answers.ts'
import { ACCESS_TOKEN, CREDENTIALS, REFRESH_TOKEN } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import type { AllowedOrigins } from '../request/allowed-origins.ts'
import type { CallerOf } from '../request/caller.ts'
import { comesFromForeignSite } from '../request/foreign-site.ts'
import { atBothPaths } from './at-both-paths.ts'
import { foreignPage, tokenApiErrors } from './errors.ts'
import { password, trimmed, validateFields } from './fields.ts'
import { MEDIA_TYPES, parseBody } from './parse-body.ts'
import type { RotationSetting } from './post-refresh.ts'
import { detail, refused } from './refusals.ts'
import { TAGS } from './tags.ts'

export type PostLoginDeps = LoginDeps & CallerOf & RotationSetting & AllowedOrigins

export const loginFields = z.object({ username: trimmed, password })

const operation: Operation = {
  operationId: 'obtainTokenPair',
  summary: 'Log in for a pair of tokens',
  tags: TAGS,
  security: [],
  requestBody: takes(loginFields, CREDENTIALS, MEDIA_TYPES),
  responses: {
    '200': answers(
      'A session has begun; these are its tokens.',
      z.object({ refresh: z.string(), access: z.string() }),
      { refresh: REFRESH_TOKEN, access: ACCESS_TOKEN },
    ),
    ...refused(loginFields, ['credentials_invalid', 'throttled']),
    ...refusals({ errors: tokenApiErrors, schema: detail, others: { foreign_page: foreignPage } }),
  },
}

export function postLogin(deps: PostLoginDeps): Endpoint[] {
  return atBothPaths({
    method: 'POST',
    path: '/auth/login',
    guidePath: '/api/token',
    operation,
    handler: async (ctx) => {
      // Or any page could have its visitors guess, and be slowed for it.
      if (comesFromForeignSite(deps, ctx)) throw new RefusalError(foreignPage)
      const { username, password } = validateFields(loginFields, await parseBody(ctx))
      const caller = deps.callerOf(ctx)
      const begun = await login(deps, { username, password, rotates: deps.tokenApiRotates, caller })
      ctx.body = { refresh: begun.refresh.token, access: begun.access.token }
    },
  })
}
