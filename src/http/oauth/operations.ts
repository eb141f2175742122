// Describes the OAuth endpoints.
import { z } from 'zod'
import type { ZodOpenApiResponsesObject } from 'zod-openapi'
import type { AuthErrorCode } from '../../auth/errors.ts'
import type { Operation } from '../endpoint.ts'
import { answers, refusals, takes } from '../describe/answers.ts'
import { ACCESS_TOKEN, ACCESS_TOKEN_SECONDS, SESSION_ID, USER } from '../describe/samples.ts'
import { oauthErrors } from './errors.ts'
import { tokenForm } from './fields.ts'
import { authorizationServerMetadata } from './metadata.ts'

const TAGS = ['Peers']
const FORM = ['application/x-www-form-urlencoded']
const ISSUER = 'https://auth.example.com'
const ISSUED_AT = 1_763_760_000

/** The body of a refusal (RFC 6749 section 5.2). */
export const refusal = z.object({ error: z.string(), error_description: z.string() })
const names = z.array(z.string())

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

const ASKED_WITH_TOKEN = {
  tags: TAGS,
  security: [{ peer: [] }],
  requestBody: takes(tokenForm, { token: ACCESS_TOKEN }, FORM),
}

export const introspect: Operation = {
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
          examples: {
            live: {
              value: {
                active: true,
                sub: USER.id,
                username: USER.username,
                client_id: 'signoff',
                token_type: 'Bearer',
                scope: USER.role,
                iss: ISSUER,
                aud: 'signoff',
                iat: ISSUED_AT,
                exp: ISSUED_AT + ACCESS_TOKEN_SECONDS,
                jti: '0f8a2b1c-6d3e-4f5a-9b7c-1d2e3f4a5b6c',
                sid: SESSION_ID,
              },
            },
            not_live: { value: { active: false } },
          },
        },
      },
    },
    ...refused(),
  },
}

export const revoke: Operation = {
  operationId: 'revokeToken',
  summary: 'End the session behind a token of either kind (RFC 7009)',
  description:
    'A token of a trusted foreign issuer is denied itself, unless it lives longer than denials are kept: that is 400. A token that has expired ends its session all the same.',
  ...ASKED_WITH_TOKEN,
  responses: {
    '200': { description: 'The session is over, now or before; or there was none. Without a body.' },
    ...refused('token_outlives_denial'),
  },
}

export const metadata: Operation = {
  operationId: 'readServerMetadata',
  summary: 'Tell OAuth clients where all of this is (RFC 8414)',
  tags: TAGS,
  security: [],
  responses: {
    '200': answers(
      'May be kept for five minutes.',
      z.object({
        issuer: z.string(),
        jwks_uri: z.string(),
        introspection_endpoint: z.string(),
        introspection_endpoint_auth_methods_supported: names,
        revocation_endpoint: z.string(),
        revocation_endpoint_auth_methods_supported: names,
        response_types_supported: names,
        grant_types_supported: names,
        service_documentation: z.string(),
      }),
      authorizationServerMetadata(ISSUER),
    ),
  },
}

function refused(...rules: AuthErrorCode[]): ZodOpenApiResponsesObject {
  return refusals({
    errors: oauthErrors,
    schema: refusal,
    rules: ['credentials_invalid', 'throttled', 'unavailable', ...rules],
    http: [413, 415, 500],
    problems: [{ field: 'token', message: 'This field is required.' }],
  })
}
