// DELETE /api/v1/auth/sessions/{id}: one device is logged out.
import { revokeSession, type RevokeSessionDeps } from '../../auth/sessions/revoke-session.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import type { Endpoint } from '../endpoint.ts'
import { readJson } from '../request/json-body.ts'
import { requireKnownNames } from '../request/known-names.ts'
import type { CallerOf } from '../request/caller.ts'
import { authenticated } from './authenticated.ts'
import { nothing, sessionPath } from './fields.ts'

export function deleteSession(deps: AuthenticateDeps & RevokeSessionDeps & CallerOf): Endpoint['handler'] {
  return authenticated(deps, async (ctx, claims) => {
    requireKnownNames(ctx, { fields: readJson(ctx, nothing), known: [] })
    const { id: sessionId } = sessionPath.parse(ctx['params'])
    await revokeSession(deps, { claims, sessionId, caller: deps.callerOf(ctx) })
    ctx.status = 204
  })
}
