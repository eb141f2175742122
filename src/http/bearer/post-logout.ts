// POST /logout: ends what stands behind an access token, which comes as Bearer token.
import { z } from 'zod'
import { logoutBearer, type LogoutBearerDeps } from '../../auth/sessions/logout-bearer.ts'
import { answers, refusals } from '../describe/answers.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { bearerToken } from '../request/bearer-token.ts'
import type { CallerOf } from '../request/caller.ts'
import { requireKnownNames } from '../request/known-names.ts'
import { parseBodyPlainly } from '../token-api/parse-body.ts'
import { bearerErrors, tokenMissing } from './errors.ts'

export type PostLogoutDeps = LogoutBearerDeps & CallerOf

/** The body of the success. */
const loggedOut = { message: 'Logout successful.' }

const operation: Operation = {
  operationId: 'logoutBearer',
  summary: 'End the session behind an access token',
  description:
    'A token of a trusted foreign issuer is denied itself, unless it lives longer than denials are kept.',
  tags: ['Bearer logout'],
  security: [{ bearer: [] }],
  responses: {
    '200': answers('The session is over.', z.object({ message: z.string() }), loggedOut),
    ...refusals({
      errors: bearerErrors,
      schema: z.object({ error: z.string() }),
      rules: ['token_expired', 'token_invalid', 'unavailable'],
      http: [500],
      others: { token_missing: tokenMissing },
    }),
  },
}

export function postLogout(deps: PostLogoutDeps): Endpoint {
  return {
    method: 'POST',
    path: '/logout',
    operation,
    handler: async (ctx) => {
      const token = bearerToken(ctx)
      if (token === null) throw new RefusalError(tokenMissing)
      requireKnownNames(ctx, { fields: await parseBodyPlainly(ctx), known: [] })
      await logoutBearer(deps, { token, caller: deps.callerOf(ctx) })
      ctx.body = loggedOut
    },
  }
}
