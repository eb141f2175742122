// What the token API says when it says no (the words of Django REST framework and SimpleJWT).
import type { AuthErrorCode } from '../../auth/errors.ts'
import type { DialectErrors, Refusal } from '../errors.ts'

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="api"' }

const DETAIL: Record<number, string> = {
  404: 'Not found.',
  413: 'Request body is larger than 16 KiB.',
  415: 'Unsupported content encoding in request.',
  500: 'A server error occurred.',
  503: 'Service temporarily unavailable, try again later.',
}

/** A 401 with the challenge that it must carry (RFC 9110 section 11.6.1). */
export const unauthorized = (body: object): Refusal => ({ status: 401, body, headers: CHALLENGE })
const badToken = (detail: string) => unauthorized({ detail, code: 'token_not_valid' })

/** Login, refresh, verify, blacklist. */
export const tokenApiErrors: DialectErrors = {
  rules: {
    credentials_invalid: unauthorized({ detail: 'No active account found with the given credentials' }),
    token_invalid: badToken('Token is invalid'),
    token_expired: badToken('Token is expired'),
    token_wrong_type: badToken('Token has wrong type'),
    token_denied: badToken('Token is blacklisted'),
    unavailable: { status: 503, body: { detail: DETAIL[503] } },
  },
  http: (status, { method }) => {
    const detail = status === 405 ? `Method "${method}" not allowed.` : DETAIL[status]
    return { status, body: { detail: detail ?? 'Malformed request.' } }
  },
}

const badLogoutToken = unauthorized({ error: 'Token is invalid or already blacklisted' })

const logoutRules: Record<AuthErrorCode, Refusal> = {
  credentials_invalid: badLogoutToken,
  token_invalid: badLogoutToken,
  token_expired: badLogoutToken,
  token_wrong_type: badLogoutToken,
  token_denied: badLogoutToken,
  unavailable: { status: 503, body: { error: DETAIL[503] } },
}

/** `/auth/logout/` */
export const logoutErrors: DialectErrors = {
  rules: logoutRules,
  http: (status, ctx) =>
    status >= 500 ? { status, body: { error: DETAIL[500] } } : tokenApiErrors.http(status, ctx),
}
