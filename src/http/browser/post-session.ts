// POST /auth/session: username and password for a cookie and an access token; the session of the cookie before ends.
import { z } from 'zod'
import { replaceSession, type ReplaceSessionDeps } from '../../auth/sessions/replace-session.ts'
import { answers, headers, takes } from '../describe/answers.ts'
import { ACCESS_TOKEN, ACCESS_TOKEN_SECONDS, CREDENTIALS, CSRF_TOKEN, USER } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { credentials } from '../request/credentials.ts'
import { readJson } from '../request/json-body.ts'
import { readCookie, requireCookieKept, setCookie, type CookieDeps } from './cookie.ts'
import { cookieNotKept } from './errors.ts'
import { refused } from './refusals.ts'
import { csrfTokenOf, foreignPage, requireOwnOrigin, type ForgeryDeps } from './request-forgery.ts'
import { TAGS } from './tags.ts'
import { user } from './user.ts'

export type PostSessionDeps = ReplaceSessionDeps & ForgeryDeps & CookieDeps & CallerOf

const FLAG_EXPECTED = 'true or false is expected.'

const fields = credentials.extend({
  remember_me: z
    .boolean(FLAG_EXPECTED)
    .optional()
    .describe('Whether the cookie outlives the browser, for as long as its refresh token lives.'),
})

const operation: Operation = {
  operationId: 'beginBrowserSession',
  summary: 'Log in for a session cookie and an access token',
  description:
    'A session whose cookie comes along ends with the success of this login, whoever’s it was. A login that fails leaves it alone.',
  tags: TAGS,
  security: [],
  requestBody: takes(fields, { ...CREDENTIALS, remember_me: true }),
  responses: {
    '200': {
      ...answers(
        'A session has begun. The refresh token is in the cookie, where no script can read it.',
        z.object({ access: z.string(), expires_in: z.int(), csrf_token: z.string(), user }),
        { access: ACCESS_TOKEN, expires_in: ACCESS_TOKEN_SECONDS, csrf_token: CSRF_TOKEN, user: USER },
      ),
      headers: headers('Set-Cookie'),
    },
    ...refused({
      rules: ['credentials_invalid', 'throttled', 'unavailable'],
      http: [400, 413, 415, 500],
      problems: [
        { field: 'password', message: 'This field is required.' },
        { field: 'remember_me', message: FLAG_EXPECTED },
      ],
      others: { foreign_page: foreignPage, cookie_not_kept: cookieNotKept },
    }),
  },
}

export function postSession(deps: PostSessionDeps): Endpoint {
  return {
    method: 'POST',
    path: '/auth/session',
    operation,
    handler: async (ctx) => {
      // Also here: a foreign page must not log a visitor in as somebody else.
      requireOwnOrigin(deps, ctx)
      requireCookieKept(deps, ctx)
      const { username, password, remember_me: isPersistent = false } = readJson(ctx, fields)
      const caller = deps.callerOf(ctx)
      const heldToken = readCookie(ctx)
      const login = { username, password, rotates: true, isPersistent, caller, heldToken }
      const begun = await replaceSession(deps, login)

      setCookie(deps, ctx, { refresh: begun.refresh, isPersistent })
      ctx.body = {
        access: begun.access.token,
        expires_in: begun.access.expiresIn,
        csrf_token: csrfTokenOf(deps, begun.sid),
        user: begun.user,
      }
    },
  }
}
