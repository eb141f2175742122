// The token API, /auth/…: the paths, bodies and errors that a SimpleJWT client expects. (Logout: see `auth-logout/`.)
import type { LogoutDeps } from '../../auth/logout.ts'
import type { Dialect } from '../endpoint.ts'
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
      { method: 'POST', path: '/auth/login', operation: login, handler: postLogin(deps) },
      { method: 'POST', path: '/auth/token/refresh', operation: refresh, handler: postRefresh(deps) },
      { method: 'POST', path: '/auth/token/verify', operation: verify, handler: postVerify(deps) },
      { method: 'POST', path: '/auth/token/blacklist', operation: blacklist, handler: postBlacklist(deps) },
    ],
  }
}
