// The refusals of /api/v1: problem details (RFC 9457), with a code for the program.
import { STATUS_CODES } from 'node:http'
import { throttledRefusal, type DialectErrors, type FieldProblem, type Refusal } from '../errors.ts'

export type ProblemCode =
  | 'invalid_request'
  | 'invalid_credentials'
  | 'token_missing'
  | 'token_invalid'
  | 'token_expired'
  | 'token_revoked'
  | 'password_incorrect'
  | 'username_taken'
  | 'username_invalid'
  | 'password_too_weak'
  | 'session_not_found'
  | 'not_found'
  | 'method_not_allowed'
  | 'body_too_large'
  | 'unsupported_media_type'
  | 'too_many_attempts'
  | 'internal_error'
  | 'unavailable'

/** These stand in the body besides type, title, status and code. */
export interface ProblemParts {
  detail: string
  /** Of `username_invalid` and `password_too_weak`: a sentence each. */
  reasons?: readonly string[]
  /** Of `invalid_request`. */
  errors?: readonly FieldProblem[]
}

const CHALLENGE = 'Bearer realm="api"'

function problem(status: number, code: ProblemCode, parts: ProblemParts): Refusal {
  return {
    status,
    // With this type, the title is the status's own phrase (RFC 9457 section 4.2.1).
    body: { type: 'about:blank', title: STATUS_CODES[status], status, code, ...parts },
    headers: { 'Content-Type': 'application/problem+json' },
  }
}

function unauthorized(code: ProblemCode, detail: string, challenge = CHALLENGE): Refusal {
  const { headers, ...refusal } = problem(401, code, { detail })
  return { ...refusal, headers: { ...headers, 'WWW-Authenticate': challenge } }
}

/** A token was presented, so the challenge says what became of it (RFC 6750 section 3.1). */
function badToken(code: ProblemCode, detail: string): Refusal {
  return unauthorized(code, detail, `${CHALLENGE}, error="invalid_token"`)
}

export const tokenMissing = unauthorized('token_missing', 'An access token is expected as Bearer token.')

/** 403: a client would take a 401 for the death of its access token. */
export const passwordIncorrect = problem(403, 'password_incorrect', { detail: 'The password is wrong.' })

const invalidToken = badToken(
  'token_invalid',
  'The token is none of ours, was altered, or is of the other kind.',
)

const HTTP: Record<number, Refusal> = {
  404: problem(404, 'not_found', { detail: 'There is nothing here.' }),
  405: problem(405, 'method_not_allowed', { detail: 'This method is not allowed here.' }),
  413: problem(413, 'body_too_large', { detail: 'The body is larger than 16 KiB.' }),
  415: problem(415, 'unsupported_media_type', {
    detail: 'The body is expected as application/json, without a Content-Encoding.',
  }),
  500: problem(500, 'internal_error', { detail: 'Something went wrong on our side.' }),
}

const NOT_JSON: readonly FieldProblem[] = [{ field: 'body', message: 'This cannot be read as JSON.' }]

export const v1Errors: DialectErrors = {
  rules: {
    credentials_invalid: unauthorized('invalid_credentials', 'Username or password is wrong.'),
    token_invalid: invalidToken,
    token_wrong_type: invalidToken,
    token_outlives_denial: invalidToken,
    token_expired: badToken('token_expired', 'The token has expired.'),
    token_denied: badToken('token_revoked', 'The session of the token is over.'),
    username_taken: problem(409, 'username_taken', { detail: 'Somebody has this username already.' }),
    username_invalid: ({ reasons }) =>
      problem(422, 'username_invalid', { detail: 'The username cannot be taken.', reasons }),
    password_too_weak: ({ reasons }) =>
      problem(422, 'password_too_weak', { detail: 'The password cannot be taken.', reasons }),
    session_not_found: problem(404, 'session_not_found', { detail: 'You have no such session.' }),
    throttled: (error) => {
      const detail = `Too many attempts. Try again in ${error.retryAfterSeconds} s.`
      const { body, headers } = problem(429, 'too_many_attempts', { detail })
      const refusal = throttledRefusal(error, body)
      return { ...refusal, headers: { ...headers, ...refusal.headers } }
    },
    unavailable: problem(503, 'unavailable', {
      detail: 'The service is unavailable for the moment. Try again.',
    }),
  },
  http: (status, _ctx, problems) =>
    HTTP[status] ??
    problem(status, 'invalid_request', {
      detail: 'The request is not what is expected here.',
      errors: problems.length > 0 ? problems : NOT_JSON,
    }),
}
