// The refusals of the browser dialect: a code for the program, a message for the person.
import { sentenceOf, throttledRefusal, type DialectErrors, type Refusal } from '../errors.ts'

const body = (error_code: string, message: string) => ({ error_code, message })

/** No cookie, or one whose session is over. Never clears the cookie: a later answer may have replaced it. */
export const notAuthenticated: Refusal = {
  status: 401,
  body: body('NOT_AUTHENTICATED', 'You are not logged in.'),
  headers: { 'WWW-Authenticate': 'Bearer realm="api"' },
}

export const csrfFailed = (message: string): Refusal => ({ status: 403, body: body('CSRF_FAILED', message) })

/** A login of a page on whose account no browser would keep the cookie. */
export const cookieNotKept: Refusal = {
  status: 403,
  body: body(
    'COOKIE_NOT_KEPT',
    'The page is of another site, and for it a browser keeps the session cookie only with SESSION_COOKIE_SAMESITE=none. Set that, or serve the page from the site of this service.',
  ),
}

const HTTP: Record<number, object> = {
  404: body('NOT_FOUND', 'There is nothing here.'),
  405: body('METHOD_NOT_ALLOWED', 'This method is not allowed here.'),
  413: body('BODY_TOO_LARGE', 'The body is larger than 16 KiB.'),
  415: body(
    'UNSUPPORTED_MEDIA_TYPE',
    'The body is expected as application/json, without a Content-Encoding.',
  ),
  500: body('INTERNAL_ERROR', 'Something went wrong on our side.'),
}

export const browserErrors: DialectErrors = {
  rules: {
    credentials_invalid: {
      ...notAuthenticated,
      body: body('NOT_AUTHENTICATED', 'Username or password is wrong.'),
    },
    token_invalid: notAuthenticated,
    token_expired: notAuthenticated,
    token_wrong_type: notAuthenticated,
    token_denied: notAuthenticated,
    token_outlives_denial: notAuthenticated,
    throttled: (error) =>
      throttledRefusal(
        error,
        body('TOO_MANY_ATTEMPTS', `Too many attempts. Try again in ${error.retryAfterSeconds} s.`),
      ),
    unavailable: {
      status: 503,
      body: body('UNAVAILABLE', 'The service is unavailable for the moment. Try again.'),
    },
  },
  http: (status, _ctx, problems) => ({
    status,
    body: HTTP[status] ?? body('INVALID_REQUEST', sentenceOf(problems) || 'The body is not valid JSON.'),
  }),
}

/** `POST /auth/logout` with the cookie. */
export const browserLogoutErrors: DialectErrors = {
  ...browserErrors,
  http: (status, ctx, problems) =>
    status >= 500
      ? { status, body: body('LOGOUT_FAILED', 'The session could not be ended. Try again.') }
      : browserErrors.http(status, ctx, problems),
}
