// Describes the endpoints for peers.
import { z } from 'zod'
import type { Operation } from '../endpoint.ts'
import { answers, headers, refusals } from '../describe/answers.ts'
import { oauthErrors } from '../oauth/errors.ts'
import { refusal } from '../oauth/operations.ts'
import { gatewayErrors, tokenMissing } from './errors.ts'

const jwk = z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.string() })

export const jwks: Operation = {
  operationId: 'readSigningKeys',
  summary: 'Read the public keys of access tokens (RFC 7517)',
  tags: ['Peers'],
  security: [],
  responses: {
    '200': answers('May be kept for five minutes.', z.object({ keys: z.array(jwk) }), {
      keys: [
        {
          kty: 'EC',
          crv: 'P-256',
          x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
          y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
          kid: '2026-11-01',
          alg: 'ES256',
          use: 'sig',
        },
      ],
    }),
  },
}

export const check: Operation = {
  operationId: 'checkRequest',
  summary: 'Tell a gateway whether a request may pass, and whose it is',
  description: [
    'For nginx `auth_request`, Caddy `forward_auth`, Traefik and Envoy. Every method is answered alike, and a body',
    'is not read. What is not visible ASCII in a role is percent-encoded. With `GATEWAY_COOKIE=on` the session cookie',
    'counts where there is no token and `X-Forwarded-Method` is GET or HEAD.',
  ].join(' '),
  tags: ['Peers'],
  security: [{ bearer: [] }],
  responses: {
    '200': {
      description:
        'It may: the access token, or the cookie, is good, and its session is alive. Without a body.',
      headers: headers('X-Auth-User', 'X-Auth-Session', 'X-Auth-Role'),
    },
    ...refusals({
      errors: gatewayErrors,
      schema: z.object({ error: z.string() }),
      rules: ['token_invalid', 'token_expired', 'token_denied', 'unavailable'],
      http: [500],
      others: { token_missing: tokenMissing },
    }),
  },
}

const EVENTS = `event: open
data: {"now":1763760000123.4,"lease":5,"covers":305}

event: snapshot
data: [{"id":"01a1fe9c-5b63-7cc4-9f0e-3fb2b261fba0","until":1763760300}]

id: 1763760000000
event: sync
data: {"as_of":1763760000456.7}

event: deny
data: {"id":"01a1fe9c-7d0e-71a2-8c55-0f4f1d2b9a01","until":1763760301}

`

export const denylistFeed: Operation = {
  operationId: 'followDenylist',
  summary: 'Follow the denylist as server-sent events',
  description:
    'For a replica: every current denial, then each new one as it happens, and once a second up to when that is all. `Last-Event-ID` resumes, at whichever instance. Ends after some minutes: come again.',
  tags: ['Peers'],
  security: [{ peer: [] }],
  responses: {
    '200': {
      description: 'Goes on until one of both ends it.',
      content: { 'text/event-stream': { schema: z.string(), example: EVENTS } },
    },
    ...refusals({
      errors: oauthErrors,
      schema: refusal,
      rules: ['credentials_invalid', 'throttled', 'unavailable'],
    }),
  },
}
