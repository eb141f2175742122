// GET /api/v1/auth/sessions: the devices on which the user is logged in.
import type { SessionSummary, Sessions } from '../../auth/ports/sessions.ts'
import type { AuthenticateDeps } from '../../auth/verify-access.ts'
import type { Endpoint } from '../endpoint.ts'
import { authenticated } from './authenticated.ts'
import { deviceName } from './device-name.ts'

export function getSessions(deps: AuthenticateDeps & { sessions: Sessions }): Endpoint['handler'] {
  return authenticated(deps, async (ctx, claims) => {
    const sessions = await deps.sessions.list(claims.sub)
    ctx.body = { sessions: sessions.map((session) => toJson(session, claims.sid)) }
  })
}

function toJson(session: SessionSummary, currentId: string) {
  return {
    id: session.id,
    device: deviceName(session.userAgent),
    user_agent: session.userAgent,
    ip_address: session.ipAddress,
    created_at: session.createdAt.toISOString(),
    last_seen_at: session.lastSeenAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    current: session.id === currentId,
  }
}
