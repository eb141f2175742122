// The refusals of the gateway check: the codes of `signoff/peer`, for a caller that reads the body.
import { throttledRefusal, type DialectErrors, type Refusal } from '../errors.ts'

/** Without a token, the challenge names no error (RFC 6750 section 3.1). */
export const tokenMissing: Refusal = {
  status: 401,
  body: { error: 'token_missing' },
  headers: { 'WWW-Authenticate': 'Bearer' },
}

const refused = (error: string): Refusal => ({
  status: 401,
  body: { error },
  headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
})

export const gatewayErrors: DialectErrors = {
  rules: {
    credentials_invalid: refused('token_invalid'),
    token_invalid: refused('token_invalid'),
    token_expired: refused('token_expired'),
    token_wrong_type: refused('token_invalid'),
    token_denied: refused('token_denied'),
    token_outlives_denial: refused('token_invalid'),
    throttled: (error) => throttledRefusal(error, { error: 'throttled' }),
    unavailable: { status: 503, body: { error: 'denylist_unknown' } },
  },
  http: (status) => ({ status, body: { error: status < 500 ? 'request_invalid' : 'server_error' } }),
}
