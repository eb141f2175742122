// GET /auth/session: who is logged in, for a page that was just loaded.
import { readSession, type ReadSessionDeps } from '../../auth/sessions/read-session.ts'
import type { Endpoint } from '../endpoint.ts'
import { requireCookie } from './cookie.ts'
import { csrfTokenOf, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'

export function getSession(deps: ReadSessionDeps & ForgeryDeps): Endpoint['handler'] {
  return async (ctx) => {
    requireOwnOrigin(deps, ctx)
    const token = requireCookie(ctx)

    const { user, session } = await readSession(deps, token)
    ctx.body = {
      csrf_token: csrfTokenOf(deps, session.id),
      user,
      session: {
        id: session.id,
        created_at: isoTime(session.createdAt),
        expires_at: isoTime(session.expiresAt),
      },
    }
  }
}

function isoTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString()
}
