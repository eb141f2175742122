// How the endpoints of the token API say no, as they are described.
import { z } from 'zod'
import type { ZodOpenApiResponsesObject } from 'zod-openapi'
import type { AuthErrorCode } from '../../auth/errors.ts'
import { refusalOf, refusals } from '../describe/answers.ts'
import { tokenApiErrors } from './errors.ts'
import { validateFields } from './fields.ts'
import { malformedJson } from './parse-body.ts'

export const detail = z.object({ detail: z.string(), code: z.string().optional() })
/** Also under `non_field_errors`. */
const fieldErrors = z.record(z.string(), z.array(z.string()))

export const BAD_REFRESH_TOKEN = [
  'token_invalid',
  'token_expired',
  'token_wrong_type',
  'token_denied',
] as const

/** The refusals of an endpoint that takes these fields; every one of them can meet a store that is down. */
export function refused(fields: z.ZodObject, rules: readonly AuthErrorCode[]): ZodOpenApiResponsesObject {
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
      others: { malformed_body: malformedJson },
    },
  )
}
