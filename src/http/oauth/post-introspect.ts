// POST /oauth/introspect: what an access token says, if it is good (RFC 7662).
import { z } from 'zod'
import { introspect, type Introspection, type IntrospectDeps } from '../../auth/tokens/introspect.ts'
import { ACCESS_TOKEN_SECONDS, SESSION_ID, USER } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { ASKED_WITH_TOKEN, readTokenForm, refusedWithToken, type TokenFormDeps } from './token-form.ts'

export type PostIntrospectDeps = IntrospectDeps & TokenFormDeps

const activeToken = z.object({
  active: z.literal(true),
  sub: z.string(),
  username: z.string().optional().meta({ description: 'Missing only where it could not be had at once.' }),
  client_id: z.string(),
  token_type: z.literal('Bearer'),
  scope: z.string(),
  iss: z.string(),
  aud: z.string(),
  iat: z.number(),
  exp: z.number(),
  jti: z.string(),
  sid: z.string(),
})

const ISSUED_AT = 1_763_760_000

const LIVE: z.infer<typeof activeToken> = {
  active: true,
  sub: USER.id,
  username: USER.username,
  client_id: 'signoff',
  token_type: 'Bearer',
  scope: USER.role,
  iss: 'https://auth.example.com',
  aud: 'signoff',
  iat: ISSUED_AT,
  exp: ISSUED_AT + ACCESS_TOKEN_SECONDS,
  jti: '0f8a2b1c-6d3e-4f5a-9b7c-1d2e3f4a5b6c',
  sid: SESSION_ID,
}

const operation: Operation = {
  operationId: 'introspectToken',
  summary: 'Tell what an access token says, if it is good here and now (RFC 7662)',
  description:
    'Whatever is no live access token, refresh tokens included, is `{"active":false}`. 503: that cannot be told.',
  ...ASKED_WITH_TOKEN,
  responses: {
    '200': {
      description: 'It is live, or it is not.',
      content: {
        'application/json': {
          schema: z.union([activeToken, z.object({ active: z.literal(false) })]),
          examples: { live: { value: LIVE }, not_live: { value: { active: false } } },
        },
      },
    },
    ...refusedWithToken(),
  },
}

export function postIntrospect(deps: PostIntrospectDeps): Endpoint {
  return {
    method: 'POST',
    path: '/oauth/introspect',
    operation,
    handler: async (ctx) => {
      const { token } = await readTokenForm(deps, ctx)
      const found = await introspect(deps, token)
      ctx.body = found ? answerOf(found) : { active: false }
    },
  }
}

function answerOf({ claims, username }: Introspection) {
  const { sub, client_id, scope, iss, aud, iat, exp, jti, sid } = claims
  return {
    active: true,
    sub,
    ...(username !== null && { username }),
    client_id,
    token_type: 'Bearer',
    ...{ scope, iss, aud, iat, exp, jti, sid },
  }
}
