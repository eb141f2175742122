// POST /api/v1/auth/login: username and password for a pair.
import { login, type LoginDeps } from '../../auth/sessions/login.ts'
import { answers, takes } from '../describe/answers.ts'
import { CREDENTIALS } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { credentials } from '../request/credentials.ts'
import { readJson } from '../request/json-body.ts'
import { pair, PAIR, pairOf } from './pair.ts'
import { MALFORMED, missing, refused } from './refusals.ts'
import { TAGS } from './tags.ts'

const operation: Operation = {
  operationId: 'login',
  summary: 'Log in for a pair of tokens',
  tags: TAGS,
  security: [],
  requestBody: takes(credentials, CREDENTIALS),
  responses: {
    '200': answers('A session has begun.', pair, PAIR),
    ...refused({
      rules: ['credentials_invalid', 'throttled'],
      http: MALFORMED,
      problems: [missing('password')],
    }),
  },
}

export function postLogin(deps: LoginDeps & CallerOf): Endpoint {
  return {
    method: 'POST',
    path: '/api/v1/auth/login',
    operation,
    handler: async (ctx) => {
      const { username, password } = readJson(ctx, credentials)
      const begun = await login(deps, { username, password, rotates: true, caller: deps.callerOf(ctx) })
      ctx.body = pairOf(begun)
    },
  }
}
