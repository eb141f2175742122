// The refusals of the token API (the words of Django REST framework and SimpleJWT).
import {
  sentenceOf,
  throttledRefusal,
  type DialectErrors,
  type FieldProblem,
  type Refusal,
} from '../errors.ts'

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="api"' }

const DETAIL: Record<number, string> = {
  404: 'Not found.',
  413: 'Request body is larger than 16 KiB.',
  415: 'Unsupported content encoding in request.',
  500: 'A server error occurred.',
  503: 'Service temporarily unavailable, try again later.',
}

/** A 401 with the challenge that it must carry (RFC 9110 section 11.6.1). */
const unauthorized = (body: object): Refusal => ({ status: 401, body, headers: CHALLENGE })
const badToken = (detail: string) => unauthorized({ detail, code: 'token_not_valid' })

const throttled = (seconds: number) =>
  `Request was throttled. Expected available in ${seconds} second${seconds === 1 ? '' : 's'}.`

/** Login, refresh, verify, blacklist. */
export const tokenApiErrors: DialectErrors = {
  rules: {
    credentials_invalid: unauthorized({ detail: 'No active account found with the given credentials' }),
    token_invalid: badToken('Token is invalid'),
    token_expired: badToken('Token is expired'),
    token_wrong_type: badToken('Token has wrong type'),
    token_denied: badToken('Token is blacklisted'),
    token_outlives_denial: badToken('Token is invalid'),
    throttled: (error) => throttledRefusal(error, { detail: throttled(error.retryAfterSeconds) }),
    unavailable: { status: 503, body: { detail: DETAIL[503] } },
  },
  http: (status, { method }, problems) => {
    if (problems.length > 0) return { status, body: listsOf(problems) }
    const detail = status === 405 ? `Method "${method}" not allowed.` : DETAIL[status]
    return { status, body: { detail: detail ?? 'Malformed request.' } }
  },
}

/** A login that a visitor's browser was made to send. */
export const foreignPage: Refusal = {
  status: 403,
  body: { detail: 'The request comes from a page of another site.' },
}

const badLogoutToken = unauthorized({ error: 'Token is invalid or already blacklisted' })

/** `/auth/logout/` with a refresh token in the body. */
export const logoutErrors: DialectErrors = {
  rules: {
    credentials_invalid: badLogoutToken,
    token_invalid: badLogoutToken,
    token_expired: badLogoutToken,
    token_wrong_type: badLogoutToken,
    token_denied: badLogoutToken,
    token_outlives_denial: badLogoutToken,
    throttled: (error) => throttledRefusal(error, { error: throttled(error.retryAfterSeconds) }),
    unavailable: { status: 503, body: { error: DETAIL[503] } },
  },
  http: (status, ctx, problems) => {
    if (problems.length > 0) return { status, body: { error: sentenceOf(problems) } }
    return status >= 500 ? { status, body: { error: DETAIL[500] } } : tokenApiErrors.http(status, ctx, [])
  },
}

/** A list of messages for each field, as that framework has it. */
function listsOf(problems: readonly FieldProblem[]): Record<string, string[]> {
  return Object.fromEntries(problems.map(({ field, message }) => [field, [message]]))
}
