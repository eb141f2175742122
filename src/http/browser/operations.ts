// Describes the endpoints of the browser dialect.
import { z } from 'zod'
import type { AuthErrorCode } from '../../auth/errors.ts'
import type { Operation } from '../endpoint.ts'
import { answers, headers, refusals, takes } from '../describe/answers.ts'
import {
  ACCESS_TOKEN,
  ACCESS_TOKEN_SECONDS,
  CREDENTIALS,
  CSRF_TOKEN,
  SESSION_ID,
  USER,
} from '../describe/samples.ts'
import { browserErrors, cookieNotKept, csrfFailed, notAuthenticated } from './errors.ts'
import { loginFields } from './fields.ts'

const TAGS = ['Browser session']

const user = z.object({ id: z.uuid(), username: z.string(), role: z.string() })
const session = z.object({ id: z.uuid(), created_at: z.iso.datetime(), expires_at: z.iso.datetime() })

export const refusal = z.object({ error_code: z.string(), message: z.string() })

const words = { errors: browserErrors, schema: refusal }
const foreignPage = csrfFailed('The request comes from a page of another origin.')
const badCookie: AuthErrorCode[] = ['token_expired', 'token_denied', 'unavailable']

/** These refusals keep other pages from acting with a visitor's cookie. */
export const forged = {
  foreign_page: foreignPage,
  csrf_token_missing: csrfFailed('The header X-CSRF-Token is missing.'),
  csrf_token_wrong: csrfFailed('The header X-CSRF-Token is not that of this session.'),
}

export const login: Operation = {
  operationId: 'beginBrowserSession',
  summary: 'Log in for a session cookie and an access token',
  description:
    'A session whose cookie comes along ends with the success of this login, whoever’s it was. A login that fails leaves it alone.',
  tags: TAGS,
  security: [],
  requestBody: takes(loginFields, { ...CREDENTIALS, remember_me: true }),
  responses: {
    '200': {
      ...answers(
        'A session has begun. The refresh token is in the cookie, where no script can read it.',
        z.object({ access: z.string(), expires_in: z.int(), csrf_token: z.string(), user }),
        { access: ACCESS_TOKEN, expires_in: ACCESS_TOKEN_SECONDS, csrf_token: CSRF_TOKEN, user: USER },
      ),
      headers: headers('Set-Cookie'),
    },
    ...refusals({
      ...words,
      rules: ['credentials_invalid', 'throttled', 'unavailable'],
      http: [400, 413, 415, 500],
      problems: [
        { field: 'password', message: 'This field is required.' },
        { field: 'remember_me', message: 'true or false is expected.' },
      ],
      others: { foreign_page: foreignPage, cookie_not_kept: cookieNotKept },
    }),
  },
}

export const read: Operation = {
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
    ...refusals({
      ...words,
      rules: badCookie,
      http: [500],
      others: { not_authenticated: notAuthenticated, foreign_page: foreignPage },
    }),
  },
}

export const refresh: Operation = {
  operationId: 'refreshBrowserSession',
  summary: 'Refresh the access token by the cookie',
  description:
    'The cookie is replaced by its successor, which outlives the browser where the login said so (`remember_me`).',
  tags: TAGS,
  security: [{ sessionCookie: [], csrfToken: [] }],
  responses: {
    '200': {
      ...answers('The new access token.', z.object({ access: z.string(), expires_in: z.int() }), {
        access: ACCESS_TOKEN,
        expires_in: ACCESS_TOKEN_SECONDS,
      }),
      headers: headers('Set-Cookie'),
    },
    ...refusals({
      ...words,
      rules: badCookie,
      http: [500],
      others: { not_authenticated: notAuthenticated, ...forged },
    }),
  },
}
