// The refusals of the OAuth endpoints (RFC 6749 section 5.2).
import { BASIC_CHALLENGE } from '../request/client-credentials.ts'
import { throttledRefusal, type DialectErrors, type FieldProblem, type Refusal } from '../errors.ts'

const body = (error: string, error_description: string) => ({ error, error_description })

const invalidClient: Refusal = {
  status: 401,
  body: body('invalid_client', 'The client is unknown, its secret is wrong, or there is none.'),
  headers: BASIC_CHALLENGE,
}

/** About the token none of these speaks: it is not active, or revoked, whatever is wrong with it. */
const notSaid: Refusal = { status: 400, body: body('invalid_request', 'The token is not usable.') }

const HTTP: Record<number, object> = {
  404: body('invalid_request', 'There is nothing here.'),
  405: body('invalid_request', 'This method is not allowed here.'),
  413: body('invalid_request', 'The body is larger than 16 KiB.'),
  415: body(
    'invalid_request',
    'The body is expected as application/x-www-form-urlencoded, without a Content-Encoding.',
  ),
  500: body('server_error', 'Something went wrong on our side.'),
}

export const oauthErrors: DialectErrors = {
  rules: {
    credentials_invalid: invalidClient,
    token_invalid: notSaid,
    token_expired: notSaid,
    token_wrong_type: notSaid,
    token_denied: notSaid,
    // RFC 7009 section 2.2.1: a 200 would say that it is dead.
    token_outlives_denial: {
      status: 400,
      body: body(
        'unsupported_token_type',
        'The token lives longer than its revocation could be kept, and goes on living.',
      ),
    },
    throttled: (error) =>
      throttledRefusal(
        error,
        body('invalid_client', `Too many wrong secrets. Try again in ${error.retryAfterSeconds} s.`),
      ),
    // As RFC 7009 section 2.2.1 wants it: the token may be good still.
    unavailable: {
      status: 503,
      body: body('temporarily_unavailable', 'This cannot be told now. Try again.'),
    },
  },
  http: (status, _ctx, problems) => ({
    status,
    body: HTTP[status] ?? body('invalid_request', sentence(problems)),
  }),
}

function sentence(problems: readonly FieldProblem[]): string {
  if (problems.length === 0) return 'The request is malformed.'
  return problems.map(({ field, message }) => `${field}: ${message}`).join(' ')
}
