// GET /api/v1/auth/events: what happened to the account, newest first, a page at a time.
import type { OwnAccount } from '../../auth/ports/accounts.ts'
import type { EventRecord } from '../../auth/ports/log.ts'
import { readEvents } from '../../auth/accounts/read-events.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import type { Endpoint } from '../endpoint.ts'
import { readFields } from '../request/json-body.ts'
import { authenticated } from './authenticated.ts'
import { pageQuery } from './fields.ts'

export function getEvents(deps: AuthenticateDeps & { ownAccount: OwnAccount }): Endpoint['handler'] {
  return authenticated(deps, async (ctx, claims) => {
    const { cursor: before = null, limit } = readFields(ctx.query, pageQuery)
    const page = await readEvents(deps, { claims, before, limit })
    ctx.body = { events: page.events.map(toJson), next_cursor: page.next }
  })
}

function toJson(event: EventRecord) {
  return {
    id: event.id,
    type: event.type,
    session_id: event.sessionId,
    ip_address: event.ipAddress,
    user_agent: event.userAgent,
    message: event.message,
    created_at: event.createdAt.toISOString(),
  }
}
