// The browser session, /auth/session: the refresh token stays in a cookie, the page holds the access token.
import type { ReadSessionDeps } from '../../auth/sessions/read-session.ts'
import type { RefreshDeps } from '../../auth/sessions/refresh.ts'
import type { ReplaceSessionDeps } from '../../auth/sessions/replace-session.ts'
import type { Dialect } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import type { CookieDeps } from './cookie.ts'
import { browserErrors } from './errors.ts'
import { getSession } from './get-session.ts'
import * as operations from './operations.ts'
import { postRefresh } from './post-refresh.ts'
import { postSession } from './post-session.ts'
import type { ForgeryDeps } from './request-forgery.ts'

export type BrowserDeps = ReplaceSessionDeps &
  ReadSessionDeps &
  RefreshDeps &
  ForgeryDeps &
  CookieDeps &
  CallerOf

export function browser(deps: BrowserDeps): Dialect {
  const path = '/auth/session'
  return {
    errors: browserErrors,
    prefix: path,
    endpoints: [
      { method: 'POST', path, operation: operations.login, handler: postSession(deps) },
      { method: 'GET', path, operation: operations.read, handler: getSession(deps) },
      {
        method: 'POST',
        path: `${path}/refresh`,
        operation: operations.refresh,
        handler: postRefresh(deps),
      },
    ],
  }
}
