// How endpoints that answer in OAuth's words say no, as they are described.
import { z } from 'zod'
import type { ZodOpenApiResponsesObject } from 'zod-openapi'
import { refusals, type Refusals } from '../describe/answers.ts'
import { oauthErrors } from './errors.ts'

/** The body of a refusal (RFC 6749 section 5.2). */
const refusal = z.object({ error: z.string(), error_description: z.string() })

/** The refusals of an endpoint for peers: these, and what can become of any peer's credentials. */
export function refused({
  rules = [],
  ...parts
}: Pick<Refusals, 'rules' | 'http' | 'problems'>): ZodOpenApiResponsesObject {
  return refusals({
    ...parts,
    errors: oauthErrors,
    schema: refusal,
    rules: ['credentials_invalid', 'throttled', 'unavailable', ...rules],
  })
}
