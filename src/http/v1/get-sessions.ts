// GET /api/v1/auth/sessions: the devices on which the user is logged in, the newest first, a page at a time.
import { z } from 'zod'
import type { SessionSummary, Sessions } from '../../auth/ports/sessions.ts'
import { readSessions } from '../../auth/sessions/read-sessions.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import { answers } from '../describe/answers.ts'
import { SESSION_ID } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { readFields } from '../request/json-body.ts'
import { ASKED_WITH_ACCESS_TOKEN, authenticated, TOKEN_MISSING } from './authenticated.ts'
import { deviceNames } from './device-name.ts'
import { BAD_PAGE, DEVICE, nextCursor, PAGE, pageQuery } from './page.ts'
import { BAD_TOKEN, refused } from './refusals.ts'

const session = z.object({
  id: z.uuid(),
  device: z.string().describe('A short name made from the user agent.'),
  user_agent: z.string().nullable(),
  ip_address: z.string(),
  created_at: z.iso.datetime(),
  last_seen_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  current: z.boolean().describe('Whether it is the one that asks.'),
})

const operation: Operation = {
  operationId: 'listSessions',
  summary: 'List the devices on which the user is logged in',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestParams: { query: pageQuery },
  responses: {
    '200': answers(PAGE, z.object({ sessions: z.array(session), next_cursor: nextCursor }), {
      sessions: [
        {
          id: SESSION_ID,
          device: 'Firefox on Linux',
          ...DEVICE,
          created_at: '2026-11-21T09:00:00.000Z',
          last_seen_at: '2026-11-21T11:30:00.000Z',
          expires_at: '2026-11-22T11:30:00.000Z',
          current: true,
        },
      ],
      next_cursor: SESSION_ID,
    }),
    ...refused({ rules: BAD_TOKEN, problems: BAD_PAGE, others: TOKEN_MISSING }),
  },
}

export function getSessions(deps: AuthenticateDeps & { sessions: Sessions }): Endpoint {
  return {
    method: 'GET',
    path: '/api/v1/auth/sessions',
    operation,
    handler: authenticated(deps, async (ctx, claims) => {
      const { cursor: before = null, limit } = readFields(ctx.query, pageQuery)
      const nameOf = deviceNames()
      const page = await readSessions(deps, { claims, before, limit })
      ctx.body = {
        sessions: page.sessions.map((each) => ({
          ...toJson(each),
          device: nameOf(each.userAgent),
          current: each.id === claims.sid,
        })),
        next_cursor: page.next,
      }
    }),
  }
}

function toJson(each: SessionSummary) {
  return {
    id: each.id,
    user_agent: each.userAgent,
    ip_address: each.ipAddress,
    created_at: each.createdAt.toISOString(),
    last_seen_at: each.lastSeenAt.toISOString(),
    expires_at: each.expiresAt.toISOString(),
  }
}
