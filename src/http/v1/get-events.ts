// GET /api/v1/auth/events: what happened to the account, newest first, a page at a time.
import { z } from 'zod'
import { readEvents } from '../../auth/accounts/read-events.ts'
import type { OwnAccount } from '../../auth/ports/accounts.ts'
import type { EventRecord } from '../../auth/ports/log.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import { answers } from '../describe/answers.ts'
import { SESSION_ID } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { readFields } from '../request/json-body.ts'
import { ASKED_WITH_ACCESS_TOKEN, authenticated, TOKEN_MISSING } from './authenticated.ts'
import { BAD_PAGE, DEVICE, nextCursor, PAGE, pageQuery } from './page.ts'
import { BAD_TOKEN, refused } from './refusals.ts'

const EVENT_ID = '019aa6b4-91d8-7c11-a5b2-4e6f8d0c2a37'

const event = z.object({
  id: z.uuid(),
  type: z.string(),
  session_id: z.uuid().nullable(),
  ip_address: z.string(),
  user_agent: z.string().nullable(),
  message: z.string().nullable(),
  created_at: z.iso.datetime(),
})

const operation: Operation = {
  operationId: 'listEvents',
  summary: 'List what happened to the account',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestParams: { query: pageQuery },
  responses: {
    '200': answers(PAGE, z.object({ events: z.array(event), next_cursor: nextCursor }), {
      events: [
        {
          id: EVENT_ID,
          type: 'USER_LOGIN',
          session_id: SESSION_ID,
          ...DEVICE,
          message: null,
          created_at: '2026-11-21T09:00:00.000Z',
        },
      ],
      next_cursor: EVENT_ID,
    }),
    ...refused({ rules: BAD_TOKEN, problems: BAD_PAGE, others: TOKEN_MISSING }),
  },
}

export function getEvents(deps: AuthenticateDeps & { ownAccount: OwnAccount }): Endpoint {
  return {
    method: 'GET',
    path: '/api/v1/auth/events',
    operation,
    handler: authenticated(deps, async (ctx, claims) => {
      const { cursor: before = null, limit } = readFields(ctx.query, pageQuery)
      const page = await readEvents(deps, { claims, before, limit })
      ctx.body = { events: page.events.map(toJson), next_cursor: page.next }
    }),
  }
}

function toJson(record: EventRecord) {
  return {
    id: record.id,
    type: record.type,
    session_id: record.sessionId,
    ip_address: record.ipAddress,
    user_agent: record.userAgent,
    message: record.message,
    created_at: record.createdAt.toISOString(),
  }
}
