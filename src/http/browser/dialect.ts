// The browser session, /auth/session: the refresh token stays in a cookie, the page holds the access token.
import type { Dialect } from '../endpoint.ts'
import { browserErrors } from './errors.ts'
import { getSession, type GetSessionDeps } from './get-session.ts'
import { postRefresh, type PostRefreshDeps } from './post-refresh.ts'
import { postSession, type PostSessionDeps } from './post-session.ts'

export type BrowserDeps = PostSessionDeps & GetSessionDeps & PostRefreshDeps

export function browser(deps: BrowserDeps): Dialect {
  return {
    errors: browserErrors,
    prefix: '/auth/session',
    endpoints: [postSession(deps), getSession(deps), postRefresh(deps)],
  }
}
