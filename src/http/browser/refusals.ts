// How the endpoints of the browser dialect say no, as they are described.
import { z } from 'zod'
import type { ZodOpenApiResponsesObject } from 'zod-openapi'
import { refusals, type Refusals } from '../describe/answers.ts'
import { browserErrors, notAuthenticated } from './errors.ts'

/** The body of a refusal. */
export const refusal = z.object({ error_code: z.string(), message: z.string() })

type Refused = Pick<Refusals, 'rules' | 'http' | 'problems' | 'others'>

/** The refusals of an endpoint of this dialect. */
export function refused(parts: Refused): ZodOpenApiResponsesObject {
  return refusals({ errors: browserErrors, schema: refusal, ...parts })
}

/** The refusals of an endpoint that goes by the session cookie; `others` are those of a forged request. */
export function refusedWithCookie(others: Refused['others']): ZodOpenApiResponsesObject {
  return refused({
    rules: ['token_expired', 'token_denied', 'unavailable'],
    http: [500],
    others: { not_authenticated: notAuthenticated, ...others },
  })
}
