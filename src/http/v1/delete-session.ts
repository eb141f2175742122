// DELETE /api/v1/auth/sessions/{id}: one device is logged out.
import { z } from 'zod'
import { revokeSession, type RevokeSessionDeps } from '../../auth/sessions/revoke-session.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { readJson } from '../request/json-body.ts'
import { requireKnownNames } from '../request/known-names.ts'
import { ASKED_WITH_ACCESS_TOKEN, authenticated, TOKEN_MISSING } from './authenticated.ts'
import { BAD_TOKEN, refused } from './refusals.ts'

export type DeleteSessionDeps = AuthenticateDeps & RevokeSessionDeps & CallerOf

/** Of any text; only one of a session of the user's leads anywhere. */
const parameters = z.object({ id: z.string() })

/** The path says all. */
const body = z.looseObject({})

const operation: Operation = {
  operationId: 'revokeSession',
  summary: 'End one session of the user',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestParams: { path: parameters },
  responses: {
    '204': { description: 'The session is over.' },
    ...refused({ rules: [...BAD_TOKEN, 'session_not_found'], others: TOKEN_MISSING }),
  },
}

export function deleteSession(deps: DeleteSessionDeps): Endpoint {
  return {
    method: 'DELETE',
    path: '/api/v1/auth/sessions/:id',
    operation,
    handler: authenticated(deps, async (ctx, claims) => {
      requireKnownNames(ctx, { fields: readJson(ctx, body), known: [] })
      const { id: sessionId } = parameters.parse(ctx['params'])
      await revokeSession(deps, { claims, sessionId, caller: deps.callerOf(ctx) })
      ctx.status = 204
    }),
  }
}
