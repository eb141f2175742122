// GET /.well-known/jwks.json: the keys that verify access tokens (RFC 7517).
import type { JWK } from 'jose'
import { z } from 'zod'
import { answers } from '../describe/answers.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { TAGS } from '../oauth/tags.ts'
import { KEPT, publish } from './publish.ts'

export interface GetJwksDeps {
  /** Public keys, as they are published at this moment (RFC 7517 section 5). */
  jwks: () => { keys: JWK[] }
}

const jwk = z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.string() })

const operation: Operation = {
  operationId: 'readSigningKeys',
  summary: 'Read the public keys of access tokens (RFC 7517)',
  tags: TAGS,
  security: [],
  responses: {
    '200': answers(KEPT, z.object({ keys: z.array(jwk) }), {
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

export function getJwks({ jwks }: GetJwksDeps): Endpoint {
  return { method: 'GET', path: '/.well-known/jwks.json', operation, handler: publish(jwks) }
}
