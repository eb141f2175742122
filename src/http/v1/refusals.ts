// How the endpoints of /api/v1 say no, as they are described: in problem details.
import { z } from 'zod'
import type { ZodOpenApiResponsesObject } from 'zod-openapi'
import type { AuthErrorCode } from '../../auth/errors.ts'
import { refusals, type Refusals } from '../describe/answers.ts'
import { v1Errors } from './errors.ts'

export const BAD_TOKEN: readonly AuthErrorCode[] = ['token_invalid', 'token_expired', 'token_denied']

const problemDetails = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('Stable: for the program.'),
  detail: z.string().describe('For the person.'),
  reasons: z.array(z.string()).optional(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
})

/** A body can be refused with these before anybody understands it. */
export const MALFORMED = [400, 413, 415] as const

/** An example of what is wrong with a body. */
export const missing = (field: string) => ({ field, message: 'This field is required.' })

/** The refusals of an operation; every one of them can meet a store that is down. */
export function refused(
  parts: Pick<Refusals, 'rules' | 'http' | 'problems' | 'others'>,
): ZodOpenApiResponsesObject {
  return refusals({
    ...parts,
    errors: v1Errors,
    schema: problemDetails,
    mediaType: 'application/problem+json',
    rules: [...(parts.rules ?? []), 'unavailable'],
    http: [...(parts.http ?? []), 500],
  })
}
