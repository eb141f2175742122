// The logout for every credential, /auth/logout: each is answered in the words of its own dialect.
import { readCookie } from '../browser/cookie.ts'
import { browserLogoutErrors } from '../browser/errors.ts'
import type { Dialect } from '../endpoint.ts'
import type { DialectErrors } from '../errors.ts'
import { logoutErrors } from '../token-api/errors.ts'
import { postLogout, type PostLogoutDeps } from './post-logout.ts'

export function logoutEndpoint(deps: PostLogoutDeps): Dialect {
  return { errors: wordsByCookie, endpoints: [postLogout(deps)] }
}

/** For what goes wrong before anybody looks at the body. */
const wordsByCookie: DialectErrors = {
  rules: logoutErrors.rules,
  http: (status, ctx, problems) =>
    (readCookie(ctx) === null ? logoutErrors : browserLogoutErrors).http(status, ctx, problems),
}
