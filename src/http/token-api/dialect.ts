// The token API, /auth/… and /api/token/…: the paths, bodies and errors that a SimpleJWT client expects. (Logout: see `logout/`.)
import type { LogoutDeps } from '../../auth/sessions/logout.ts'
import type { Dialect } from '../endpoint.ts'
import { tokenApiErrors } from './errors.ts'
import { postBlacklist } from './post-blacklist.ts'
import { postLogin, type PostLoginDeps } from './post-login.ts'
import { postRefresh, type PostRefreshDeps } from './post-refresh.ts'
import { postVerify } from './post-verify.ts'

export type TokenApiDeps = PostLoginDeps & LogoutDeps & PostRefreshDeps

export function tokenApi(deps: TokenApiDeps): Dialect {
  return {
    errors: tokenApiErrors,
    endpoints: [...postLogin(deps), ...postRefresh(deps), ...postVerify(deps), ...postBlacklist(deps)],
  }
}
