// Fastify: lets nobody pass without a live access token.
import type { Verifier } from '../create-verifier.ts'
import { bearerToken } from './bearer-token.ts'
import { refusalOf } from './refusal.ts'

/** The part of Fastify's request that is used. */
export interface FastifyRequest {
  headers: { authorization?: string | undefined }
}

/** The part of Fastify's reply that is used. */
export interface FastifyReply {
  code: (status: number) => unknown
  headers: (headers: Record<string, string>) => unknown
  send: (body: unknown) => unknown
}

/**
 * An `onRequest` hook: puts the claims (`AccessClaims`) in `request.auth`. Answers 401
 * (`WWW-Authenticate: Bearer`) or, when it cannot be told whether the token is good, 503 (`Retry-After: 1`),
 * with `{"error":"<code>"}`.
 */
export function fastifyAuth(
  verifier: Pick<Verifier, 'verify'>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  return async (request, reply) => {
    try {
      const auth = await verifier.verify(bearerToken(request.headers.authorization))
      Object.assign(request, { auth })
      return undefined
    } catch (error) {
      const { status, headers, body } = refusalOf(error)
      reply.code(status)
      reply.headers(headers)
      reply.send(body)
      // So Fastify knows that it is answered.
      return reply
    }
  }
}
