// Describes the endpoints of /api/v1 that hand out tokens and end sessions.
import { z } from 'zod'
import { credentials } from '../request/credentials.ts'
import type { Operation } from '../endpoint.ts'
import { logoutScopeFields } from '../request/logout-scope.ts'
import { answers, takes } from '../describe/answers.ts'
import { ACCESS_TOKEN, ACCESS_TOKEN_SECONDS, CREDENTIALS, REFRESH_TOKEN, USER } from '../describe/samples.ts'
import { tokenMissing } from './errors.ts'
import { logoutBody, refreshBody, registration } from './fields.ts'
import { BAD_TOKEN, TAGS, MALFORMED, MISSING_FIELD, refused, user } from './problem-operations.ts'

const pair = z.object({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.int().describe('Seconds the access token lives.'),
})
const PAIR = {
  access_token: ACCESS_TOKEN,
  refresh_token: REFRESH_TOKEN,
  token_type: 'Bearer',
  expires_in: ACCESS_TOKEN_SECONDS,
} as const

export const register: Operation = {
  operationId: 'register',
  summary: 'Register an account and begin its first session',
  tags: TAGS,
  security: [],
  requestBody: takes(registration, CREDENTIALS),
  responses: {
    '201': answers('The account is there, and a session has begun.', pair.extend({ user }), {
      user: USER,
      ...PAIR,
    }),
    ...refused({
      rules: ['username_taken', 'username_invalid', 'password_too_weak', 'throttled'],
      http: MALFORMED,
      problems: [MISSING_FIELD],
    }),
  },
}

export const login: Operation = {
  operationId: 'login',
  summary: 'Log in for a pair of tokens',
  tags: TAGS,
  security: [],
  requestBody: takes(credentials, CREDENTIALS),
  responses: {
    '200': answers('A session has begun.', pair, PAIR),
    ...refused({ rules: ['credentials_invalid', 'throttled'], http: MALFORMED, problems: [MISSING_FIELD] }),
  },
}

export const refresh: Operation = {
  operationId: 'refresh',
  summary: 'Refresh the pair of tokens',
  description:
    'The refresh token is used up: within a few seconds it gets the same successor again, later it ends the session.',
  tags: TAGS,
  security: [],
  requestBody: takes(refreshBody, { refresh_token: REFRESH_TOKEN }),
  responses: {
    '200': answers('The next pair of the session.', pair, PAIR),
    ...refused({
      rules: BAD_TOKEN,
      http: MALFORMED,
      problems: [{ field: 'refresh_token', message: 'This field is required.' }],
    }),
  },
}

export const logout: Operation = {
  operationId: 'logoutTokens',
  summary: 'End the session of an access token or a refresh token, or all of the user’s',
  description: [
    'With a `refresh_token`, the session behind that one ends; it has to be the same user’s as the access token.',
    'Without a good access token, the refresh token alone will do. The scope `all` (or `all_devices`) ends every',
    'session of the user, and the scope `others` every one but this. A name that is not known is refused, and then',
    'nothing has ended.',
  ].join(' '),
  tags: TAGS,
  security: [{ bearer: [] }, {}],
  requestParams: { query: logoutScopeFields },
  requestBody: {
    required: false,
    content: {
      'application/json': {
        schema: logoutBody,
        examples: {
          this_session: { value: {} },
          all_devices: { value: { all_devices: true } },
          other_devices: { value: { scope: 'others' } },
          another_session: { value: { refresh_token: REFRESH_TOKEN } },
        },
      },
    },
  },
  responses: {
    '204': { description: 'The session is over, or was already.' },
    ...refused({
      rules: BAD_TOKEN,
      http: MALFORMED,
      problems: [{ field: 'all_devices', message: 'true or false is expected.' }],
      others: { token_missing: tokenMissing },
    }),
  },
}
