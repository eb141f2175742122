// What the endpoints for peers say of themselves.
import { z } from 'zod'
import type { Operation } from '../endpoint.ts'
import { answers } from '../openapi/answers.ts'

const jwk = z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.string() })

export const jwks: Operation = {
  operationId: 'readSigningKeys',
  summary: 'The public keys of access tokens (RFC 7517)',
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
