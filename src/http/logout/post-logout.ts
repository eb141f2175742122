// POST /auth/logout: ends the session of whichever credential is presented.
import type { Context } from 'koa'
import { z } from 'zod'
import type { LogoutDeps } from '../../auth/sessions/logout.ts'
import type { SystemLog } from '../../ops/log.ts'
import { readCookie, type CookieDeps } from '../browser/cookie.ts'
import { endSessionOfCookie, loggedOut as cookieLoggedOut } from '../browser/end-session-of-cookie.ts'
import { browserLogoutErrors, notAuthenticated } from '../browser/errors.ts'
import { refusal as browserRefusal } from '../browser/refusals.ts'
import { forged, type ForgeryDeps } from '../browser/request-forgery.ts'
import { headers, refusals } from '../describe/answers.ts'
import { REFRESH_TOKEN } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { answerErrors, RefusalError } from '../errors.ts'
import { bodyOf } from '../request/body.ts'
import type { CallerOf } from '../request/caller.ts'
import { logoutScopeFields } from '../request/logout-scope.ts'
import {
  endSessionOfToken,
  loggedOut as tokenLoggedOut,
  logoutFields,
  namesRefreshToken,
  tokenRequired,
} from '../token-api/end-session-of-token.ts'
import { logoutErrors } from '../token-api/errors.ts'
import { malformedJson, MEDIA_TYPES, parseBody, parseBodyPlainly } from '../token-api/parse-body.ts'
import { detail } from '../token-api/refusals.ts'

export type PostLogoutDeps = LogoutDeps & ForgeryDeps & CookieDeps & CallerOf & { log: SystemLog }

const fields = z.union([logoutFields.extend(logoutScopeFields.shape), logoutScopeFields])

const body = {
  schema: fields,
  examples: {
    refresh_token: { summary: 'Token API', value: { refresh_token: REFRESH_TOKEN } },
    all_devices: { summary: 'Browser session, on all devices', value: { all_devices: true } },
    others: { summary: 'Browser session, on all other devices', value: { scope: 'others' } },
  },
}

const operation: Operation = {
  operationId: 'logout',
  summary: 'End the session of whichever credential is presented',
  description: [
    'With a `refresh_token` in the body (`refresh` is accepted too), the session behind it ends.',
    'Otherwise, with the session cookie and its CSRF token, the session of the cookie ends. The scope `all` (or',
    '`all_devices`) ends every session of the user, and the scope `others` every one but this.',
    'A name that is not known is refused, and then nothing has ended.',
  ].join(' '),
  tags: ['Logout'],
  security: [{}, { sessionCookie: [], csrfToken: [] }],
  requestParams: { query: logoutScopeFields },
  requestBody: {
    required: false,
    content: Object.fromEntries(MEDIA_TYPES.map((mediaType) => [mediaType, body])),
  },
  responses: {
    '200': {
      description: 'The session is over. For the session cookie: it is cleared, too.',
      headers: headers('Set-Cookie'),
      content: {
        'application/json': {
          schema: z.object({ message: z.string() }),
          examples: {
            refresh_token: { value: tokenLoggedOut },
            cookie: { value: cookieLoggedOut },
          },
        },
      },
    },
    ...refusals(
      {
        errors: logoutErrors,
        schema: z.object({ error: z.string() }),
        rules: ['token_denied', 'unavailable'],
        http: [500],
        others: { token_required: tokenRequired },
      },
      { errors: logoutErrors, schema: detail, http: [413, 415], others: { malformed_body: malformedJson } },
      {
        errors: browserLogoutErrors,
        schema: browserRefusal,
        prefix: 'cookie',
        rules: ['unavailable'],
        http: [413, 415, 500],
        problems: [{ field: 'all_devices', message: 'true or false is expected.' }],
        others: { not_authenticated: notAuthenticated, ...forged },
      },
    ),
  },
}

export function postLogout(deps: PostLogoutDeps): Endpoint {
  const inBrowserWords = answerErrors(browserLogoutErrors, deps.log)
  const inTokenApiWords = answerErrors(logoutErrors, deps.log)

  async function withoutCookie(ctx: Context): Promise<void> {
    if (!bodyOf(ctx)) throw new RefusalError(notAuthenticated)
    await endSessionOfToken(deps, ctx, await parseBody(ctx))
  }

  async function withCookie(ctx: Context, token: string): Promise<void> {
    const fields = await parseBodyPlainly(ctx)
    if (!namesRefreshToken(fields)) await endSessionOfCookie(deps, ctx, { token, fields })
    else {
      await inTokenApiWords(ctx, async () => {
        await endSessionOfToken(deps, ctx, fields)
      })
    }
  }

  return {
    method: 'POST',
    path: '/auth/logout',
    operation,
    handler: async (ctx) => {
      const token = readCookie(ctx)
      if (token === null) await withoutCookie(ctx)
      else {
        await inBrowserWords(ctx, async () => {
          await withCookie(ctx, token)
        })
      }
    },
  }
}
