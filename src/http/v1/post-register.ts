// POST /api/v1/auth/register: a new account, and its first session.
import { z } from 'zod'
import { register, type RegisterDeps } from '../../auth/accounts/register.ts'
import { answers, takes } from '../describe/answers.ts'
import { CREDENTIALS, USER } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { anyText } from '../request/credentials.ts'
import { readJson } from '../request/json-body.ts'
import { pair, PAIR, pairOf } from './pair.ts'
import { MALFORMED, missing, refused } from './refusals.ts'
import { TAGS } from './tags.ts'
import { user } from './user.ts'

/** Of any length and content: what is wrong with them is for the rules to say, with reasons. */
const body = z.object({ username: anyText, password: anyText })

const operation: Operation = {
  operationId: 'register',
  summary: 'Register an account and begin its first session',
  tags: TAGS,
  security: [],
  requestBody: takes(body, CREDENTIALS),
  responses: {
    '201': answers('The account is there, and a session has begun.', pair.extend({ user }), {
      user: USER,
      ...PAIR,
    }),
    ...refused({
      rules: ['username_taken', 'username_invalid', 'password_too_weak', 'throttled'],
      http: MALFORMED,
      problems: [missing('password')],
    }),
  },
}

export function postRegister(deps: RegisterDeps & CallerOf): Endpoint {
  return {
    method: 'POST',
    path: '/api/v1/auth/register',
    operation,
    handler: async (ctx) => {
      const credentials = readJson(ctx, body)
      const begun = await register(deps, { ...credentials, caller: deps.callerOf(ctx) })
      ctx.status = 201
      ctx.body = { user: begun.user, ...pairOf(begun) }
    },
  }
}
