// The token API, /auth/… and /api/token/…: the paths, bodies and errors that a SimpleJWT client expects. (Logout: see `logout/`.)
import type { LogoutDeps } from '../../auth/sessions/logout.ts'
import type { Dialect, Endpoint, Operation } from '../endpoint.ts'
import { tokenApiErrors } from './errors.ts'
import { blacklist, login, refresh, verify } from './operations.ts'
import { postBlacklist } from './post-blacklist.ts'
import { postLogin, type PostLoginDeps } from './post-login.ts'
import { postRefresh, type PostRefreshDeps } from './post-refresh.ts'
import { postVerify } from './post-verify.ts'

export type TokenApiDeps = PostLoginDeps & LogoutDeps & PostRefreshDeps

export function tokenApi(deps: TokenApiDeps): Dialect {
  return {
    errors: tokenApiErrors,
    endpoints: [
      ...atBoth(['/auth/login', '/api/token'], { operation: login, handler: postLogin(deps) }),
      ...atBoth(['/auth/token/refresh', '/api/token/refresh'], {
        operation: refresh,
        handler: postRefresh(deps),
      }),
      ...atBoth(['/auth/token/verify', '/api/token/verify'], {
        operation: verify,
        handler: postVerify(deps),
      }),
      ...atBoth(['/auth/token/blacklist', '/api/token/blacklist'], {
        operation: blacklist,
        handler: postBlacklist(deps),
      }),
    ],
  }
}

/** Under our path, and under the one of SimpleJWT's own guide, which many clients have built in. */
function atBoth(
  [path, guidePath]: [Endpoint['path'], Endpoint['path']],
  { operation, handler }: Pick<Endpoint, 'operation' | 'handler'>,
): Endpoint[] {
  const alias: Operation = {
    ...operation,
    // Each id stands for one path and method (OpenAPI 3.1 section 4.8.10).
    operationId: `${operation.operationId}AsInGuide`,
    summary: `The same as \`POST ${path}\`, under the path of SimpleJWT’s guide`,
  }
  return [
    { method: 'POST', path, operation, handler },
    { method: 'POST', path: guidePath, operation: alias, handler },
  ]
}
