// The refusals of the bearer dialect: one sentence each.
import { sentenceOf, throttledRefusal, type DialectErrors, type Refusal } from '../errors.ts'

const unauthorized = (error: string): Refusal => ({
  status: 401,
  body: { error },
  headers: { 'WWW-Authenticate': 'Bearer realm="api"' },
})
const invalid = unauthorized('Invalid token')

export const tokenMissing = unauthorized('Token missing or invalid')

const HTTP: Record<number, string> = {
  400: 'Malformed request',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Request body is larger than 16 KiB',
  415: 'Unsupported media type or content encoding',
}

export const bearerErrors: DialectErrors = {
  rules: {
    credentials_invalid: invalid,
    token_invalid: invalid,
    token_expired: unauthorized('Token expired'),
    token_wrong_type: invalid,
    token_denied: invalid,
    token_outlives_denial: invalid,
    throttled: (error) =>
      throttledRefusal(error, { error: `Too many attempts, try again in ${error.retryAfterSeconds} s` }),
    unavailable: { status: 503, body: { error: 'Service temporarily unavailable, try again later' } },
  },
  http: (status, _ctx, problems) => ({
    status,
    body: { error: sentenceOf(problems) || (HTTP[status] ?? 'Internal server error') },
  }),
}
