// POST /api/v1/auth/logout: ends the session of the tokens presented, or others of its user.
import { z } from 'zod'
import { logoutEither, type LogoutEitherDeps } from '../../auth/sessions/logout-either.ts'
import { REFRESH_TOKEN } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { bearerToken } from '../request/bearer-token.ts'
import type { CallerOf } from '../request/caller.ts'
import { token } from '../request/credentials.ts'
import { readJson } from '../request/json-body.ts'
import { logoutScopeFields, readLogoutScope } from '../request/logout-scope.ts'
import { TOKEN_MISSING } from './authenticated.ts'
import { tokenMissing } from './errors.ts'
import { BAD_TOKEN, MALFORMED, refused } from './refusals.ts'
import { TAGS } from './tags.ts'

// A field that is not known here is refused, and so none must be left out.
const body = z.looseObject({ refresh_token: token.optional(), ...logoutScopeFields.shape })

const operation: Operation = {
  operationId: 'logoutTokens',
  summary: 'End the session of an access token or a refresh token, or all of the user’s',
  description: [
    'With a `refresh_token`, the session behind that one ends; it has to be the same user’s as the access token.',
    'Without a good access token, the refresh token alone will do. The scope `all` (or `all_devices`) ends every',
    'session of the user, and the scope `others` every one but this. A name that is not known is refused, and then',
    'nothing has ended.',
  ].join(' '),
  tags: TAGS,
  security: [{ bearer: [] }, {}],
  requestParams: { query: logoutScopeFields },
  requestBody: {
    required: false,
    content: {
      'application/json': {
        schema: body,
        examples: {
          this_session: { value: {} },
          all_devices: { value: { all_devices: true } },
          other_devices: { value: { scope: 'others' } },
          another_session: { value: { refresh_token: REFRESH_TOKEN } },
        },
      },
    },
  },
  responses: {
    '204': { description: 'The session is over, or was already.' },
    ...refused({
      rules: BAD_TOKEN,
      http: MALFORMED,
      problems: [{ field: 'all_devices', message: 'true or false is expected.' }],
      others: TOKEN_MISSING,
    }),
  },
}

export function postLogout(deps: LogoutEitherDeps & CallerOf): Endpoint {
  return {
    method: 'POST',
    path: '/api/v1/auth/logout',
    operation,
    handler: async (ctx) => {
      const accessToken = bearerToken(ctx)
      const fields = readJson(ctx, body)
      const { refresh_token: refreshToken = null } = fields
      if (accessToken === null && refreshToken === null) throw new RefusalError(tokenMissing)

      const scope = readLogoutScope(ctx, fields, ['refresh_token'])
      await logoutEither(deps, { accessToken, refreshToken, scope, caller: deps.callerOf(ctx) })
      ctx.status = 204
    },
  }
}
