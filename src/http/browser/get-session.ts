// GET /auth/session: who is logged in, for a page that was just loaded.
import { z } from 'zod'
import { readSession, type ReadSessionDeps } from '../../auth/sessions/read-session.ts'
import { answers } from '../describe/answers.ts'
import { CSRF_TOKEN, SESSION_ID, USER } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { requireCookie } from './cookie.ts'
import { refusedWithCookie } from './refusals.ts'
import { csrfTokenOf, foreignPage, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'
import { TAGS } from './tags.ts'
import { user } from './user.ts'

export type GetSessionDeps = ReadSessionDeps & ForgeryDeps

const session = z.object({ id: z.uuid(), created_at: z.iso.datetime(), expires_at: z.iso.datetime() })

const operation: Operation = {
  operationId: 'readBrowserSession',
  summary: 'Tell who is logged in',
  description: 'For a page that was just loaded: it gets the CSRF token again.',
  tags: TAGS,
  security: [{ sessionCookie: [] }],
  responses: {
    '200': answers(
      'The session that the cookie belongs to.',
      z.object({ csrf_token: z.string(), user, session }),
      {
        csrf_token: CSRF_TOKEN,
        user: USER,
        session: {
          id: SESSION_ID,
          created_at: '2026-11-21T09:00:00.000Z',
          expires_at: '2026-11-28T09:00:00.000Z',
        },
      },
    ),
    ...refusedWithCookie({ foreign_page: foreignPage }),
  },
}

export function getSession(deps: GetSessionDeps): Endpoint {
  return {
    method: 'GET',
    path: '/auth/session',
    operation,
    handler: async (ctx) => {
      requireOwnOrigin(deps, ctx)
      const found = await readSession(deps, requireCookie(ctx))
      ctx.body = {
        csrf_token: csrfTokenOf(deps, found.session.id),
        user: found.user,
        session: {
          id: found.session.id,
          created_at: isoTime(found.session.createdAt),
          expires_at: isoTime(found.session.expiresAt),
        },
      }
    },
  }
}

function isoTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString()
}
