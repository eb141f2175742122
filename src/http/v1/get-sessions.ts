// GET /api/v1/auth/sessions: the devices on which the user is logged in, the newest first, a page at a time.
import type { SessionSummary, Sessions } from '../../auth/ports/sessions.ts'
import { readSessions } from '../../auth/sessions/read-sessions.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import type { Endpoint } from '../endpoint.ts'
import { readFields } from '../request/json-body.ts'
import { authenticated } from './authenticated.ts'
import { deviceNames } from './device-name.ts'
import { pageQuery } from './fields.ts'

export function getSessions(deps: AuthenticateDeps & { sessions: Sessions }): Endpoint['handler'] {
  return authenticated(deps, async (ctx, claims) => {
    const { cursor: before = null, limit } = readFields(ctx.query, pageQuery)
    const nameOf = deviceNames()
    const page = await readSessions(deps, { claims, before, limit })
    ctx.body = {
      sessions: page.sessions.map((session) => ({
        ...toJson(session),
        device: nameOf(session.userAgent),
        current: session.id === claims.sid,
      })),
      next_cursor: page.next,
    }
  })
}

function toJson(session: SessionSummary) {
  return {
    id: session.id,
    user_agent: session.userAgent,
    ip_address: session.ipAddress,
    created_at: session.createdAt.toISOString(),
    last_seen_at: session.lastSeenAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
  }
}
