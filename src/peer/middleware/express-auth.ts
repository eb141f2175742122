// Express: lets nobody pass without a live access token.
import type { AccessClaims } from '../../contract/claims.ts'
import type { Verifier } from '../create-verifier.ts'
import { bearerToken } from './bearer-token.ts'
import { refusalOf } from './refusal.ts'

/** The part of Express's request that is used. */
export interface ExpressRequest {
  headers: { authorization?: string | undefined }
}

/** The part of Express's response that is used. */
export interface ExpressResponse {
  status: (status: number) => unknown
  set: (headers: Record<string, string>) => unknown
  json: (body: unknown) => unknown
}

/** A request that has passed: `(req as Authenticated<Request>).auth`. */
export type Authenticated<Request> = Request & { auth: AccessClaims }

/**
 * Puts the claims (`AccessClaims`) in `req.auth`. Answers 401 (`WWW-Authenticate: Bearer`) or, when it cannot
 * be told whether the token is good, 503 (`Retry-After: 1`), with `{"error":"<code>"}`. For Express 4 and 5.
 */
export function expressAuth(
  verifier: Pick<Verifier, 'verify'>,
): (req: ExpressRequest, res: ExpressResponse, next: (error?: unknown) => void) => void {
  return (req, res, next) => {
    verifier
      .verify(bearerToken(req.headers.authorization))
      .then(
        (auth) => {
          Object.assign(req, { auth })
          next()
        },
        (error: unknown) => {
          const { status, headers, body } = refusalOf(error)
          res.status(status)
          res.set(headers)
          res.json(body)
        },
      )
      .catch(next)
  }
}
