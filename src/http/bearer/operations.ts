// Describes the bearer logout.
import { z } from 'zod'
import type { Operation } from '../endpoint.ts'
import { answers, refusals } from '../describe/answers.ts'
import { bearerErrors, tokenMissing } from './errors.ts'

export const logout: Operation = {
  operationId: 'logoutBearer',
  summary: 'End the session behind an access token',
  description:
    'A token of a trusted foreign issuer is denied itself, unless it lives longer than denials are kept.',
  tags: ['Bearer logout'],
  security: [{ bearer: [] }],
  responses: {
    '200': answers('The session is over.', z.object({ message: z.string() }), {
      message: 'Logout successful.',
    }),
    ...refusals({
      errors: bearerErrors,
      schema: z.object({ error: z.string() }),
      rules: ['token_expired', 'token_invalid', 'unavailable'],
      http: [500],
      others: { token_missing: tokenMissing },
    }),
  },
}
