// Describes the endpoints of the token API.
import { z } from 'zod'
import type { ZodOpenApiResponsesObject } from 'zod-openapi'
import type { AuthErrorCode } from '../../auth/errors.ts'
import type { Operation } from '../endpoint.ts'
import { answers, refusalOf, refusals, takes } from '../describe/answers.ts'
import { ACCESS_TOKEN, CREDENTIALS, REFRESH_TOKEN } from '../describe/samples.ts'
import { foreignPage, tokenApiErrors } from './errors.ts'
import { loginFields, refreshFields, validateFields, verifyFields } from './fields.ts'

/** The media types that `parseBody` reads. */
export const MEDIA_TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
] as const

export const detail = z.object({ detail: z.string(), code: z.string().optional() })
/** Also under `non_field_errors`. */
const fieldErrors = z.record(z.string(), z.array(z.string()))

export const malformedBody = {
  status: 400,
  body: { detail: 'JSON parse error - the body is not valid JSON' },
}

const TAGS = ['Token API']
const BAD_REFRESH_TOKEN = ['token_invalid', 'token_expired', 'token_wrong_type', 'token_denied'] as const

export const login: Operation = {
  operationId: 'obtainTokenPair',
  summary: 'Log in for a pair of tokens',
  tags: TAGS,
  security: [],
  requestBody: takes(loginFields, CREDENTIALS, MEDIA_TYPES),
  responses: {
    '200': answers(
      'A session has begun; these are its tokens.',
      z.object({ refresh: z.string(), access: z.string() }),
      {
        refresh: REFRESH_TOKEN,
        access: ACCESS_TOKEN,
      },
    ),
    ...refused(loginFields, ['credentials_invalid', 'throttled']),
    ...refusals({ errors: tokenApiErrors, schema: detail, others: { foreign_page: foreignPage } }),
  },
}

export const refresh: Operation = {
  operationId: 'refreshToken',
  summary: 'Refresh the access token',
  description:
    'With `REFRESH_ROTATION=on`, also for its successor: the old refresh token is then used up. A token that ' +
    'rotates already (of the account API, say) rotates here too, whatever the setting.',
  tags: TAGS,
  security: [],
  requestBody: takes(refreshFields, { refresh: REFRESH_TOKEN }, MEDIA_TYPES),
  responses: {
    '200': answers(
      'The new access token, and the successor where tokens rotate.',
      z.object({ access: z.string(), refresh: z.string().optional() }),
      { access: ACCESS_TOKEN },
    ),
    ...refused(refreshFields, BAD_REFRESH_TOKEN),
  },
}

export const verify: Operation = {
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

export const blacklist: Operation = {
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

function refused(fields: z.ZodObject, rules: readonly AuthErrorCode[]): ZodOpenApiResponsesObject {
  const missing = refusalOf(() => validateFields(fields, {}))
  return refusals(
    {
      errors: tokenApiErrors,
      schema: fieldErrors,
      others: { fields_missing: missing },
    },
    {
      errors: tokenApiErrors,
      schema: detail,
      rules: [...rules, 'unavailable'],
      http: [413, 415, 500],
      others: { malformed_body: malformedBody },
    },
  )
}
