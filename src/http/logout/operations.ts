// Describes the logout for every credential: it answers each in the words of that credential's dialect.
import { z } from 'zod'
import { browserLogoutErrors, notAuthenticated } from '../browser/errors.ts'
import { refusal as browserRefusal } from '../browser/refusals.ts'
import { forged } from '../browser/request-forgery.ts'
import type { Operation } from '../endpoint.ts'
import { logoutScopeFields } from '../request/logout-scope.ts'
import { headers, refusals } from '../describe/answers.ts'
import { REFRESH_TOKEN } from '../describe/samples.ts'
import { logoutErrors } from '../token-api/errors.ts'
import { logoutFields, tokenRequired } from '../token-api/end-session-of-token.ts'
import { malformedJson, MEDIA_TYPES } from '../token-api/parse-body.ts'
import { detail } from '../token-api/refusals.ts'

const fields = z.union([logoutFields.extend(logoutScopeFields.shape), logoutScopeFields])

const body = {
  schema: fields,
  examples: {
    refresh_token: { summary: 'Token API', value: { refresh_token: REFRESH_TOKEN } },
    all_devices: { summary: 'Browser session, on all devices', value: { all_devices: true } },
    others: { summary: 'Browser session, on all other devices', value: { scope: 'others' } },
  },
}

export const logout: Operation = {
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
            refresh_token: { value: { message: 'Logged out successfully' } },
            cookie: { value: { message: 'Logout successful' } },
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
