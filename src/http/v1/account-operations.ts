// Describes the endpoints of /api/v1 at which users look after their account.
import { z } from 'zod'
import type { AuthErrorCode } from '../../auth/errors.ts'
import type { Operation } from '../endpoint.ts'
import type { FieldProblem } from '../errors.ts'
import { answers, takes } from '../describe/answers.ts'
import { CREDENTIALS, SESSION_ID, USER } from '../describe/samples.ts'
import { passwordIncorrect, tokenMissing } from './errors.ts'
import { pageQuery, passwordChange, removal, sessionPath } from './fields.ts'
import { BAD_TOKEN, TAGS, MALFORMED, MISSING_FIELD, refused, user } from './problem-operations.ts'

const ASKED_WITH_ACCESS_TOKEN = { tags: TAGS, security: [{ bearer: [] }] }

const MISSING = { token_missing: tokenMissing }

const PAGE = 'The newest first; `next_cursor` leads to older ones, and is `null` at the end.'
const BAD_PAGE = [{ field: 'limit', message: 'A whole number from 1 to 100 is expected.' }]

const EVENT_ID = '019aa6b4-91d8-7c11-a5b2-4e6f8d0c2a37'
const DEVICE = {
  user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  ip_address: '192.0.2.7',
}

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

const event = z.object({
  id: z.uuid(),
  type: z.string(),
  session_id: z.uuid().nullable(),
  ip_address: z.string(),
  user_agent: z.string().nullable(),
  message: z.string().nullable(),
  created_at: z.iso.datetime(),
})

export const readMe: Operation = {
  operationId: 'readAccount',
  summary: 'Read the account behind the access token',
  ...ASKED_WITH_ACCESS_TOKEN,
  responses: {
    '200': answers('The account, as it is now.', user, USER),
    ...refused({ rules: BAD_TOKEN, others: MISSING }),
  },
}

export const removeMe: Operation = {
  operationId: 'removeAccount',
  summary: 'Delete the account',
  description: 'Every session of it ends.',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestBody: takes(removal, { password: CREDENTIALS.password }),
  responses: {
    '204': { description: 'The account is gone.' },
    ...refusedWithPassword(['throttled'], MISSING_FIELD),
  },
}

export const changePassword: Operation = {
  operationId: 'changePassword',
  summary: 'Change the password',
  description: 'Every other session of the user ends; the one that asks goes on.',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestBody: takes(passwordChange, {
    current_password: CREDENTIALS.password,
    new_password: 'incorrect zebra capacitor pin',
  }),
  responses: {
    '204': { description: 'The new password holds.' },
    ...refusedWithPassword(['password_too_weak', 'throttled'], { ...MISSING_FIELD, field: 'new_password' }),
  },
}

export const listSessions: Operation = {
  operationId: 'listSessions',
  summary: 'List the devices on which the user is logged in',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestParams: { query: pageQuery },
  responses: {
    '200': answers(PAGE, z.object({ sessions: z.array(session), next_cursor: z.string().nullable() }), {
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
    ...refused({ rules: BAD_TOKEN, problems: BAD_PAGE, others: MISSING }),
  },
}

export const revokeSession: Operation = {
  operationId: 'revokeSession',
  summary: 'End one session of the user',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestParams: { path: sessionPath },
  responses: {
    '204': { description: 'The session is over.' },
    ...refused({ rules: [...BAD_TOKEN, 'session_not_found'], others: MISSING }),
  },
}

export const listEvents: Operation = {
  operationId: 'listEvents',
  summary: 'List what happened to the account',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestParams: { query: pageQuery },
  responses: {
    '200': answers(PAGE, z.object({ events: z.array(event), next_cursor: z.string().nullable() }), {
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
    ...refused({ rules: BAD_TOKEN, problems: BAD_PAGE, others: MISSING }),
  },
}

/** Where the password is asked for once more. */
function refusedWithPassword(rules: AuthErrorCode[], problem: FieldProblem): Operation['responses'] {
  return refused({
    rules: [...BAD_TOKEN, ...rules],
    http: MALFORMED,
    problems: [problem],
    others: { ...MISSING, password_incorrect: passwordIncorrect },
  })
}
