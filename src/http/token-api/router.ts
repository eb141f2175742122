// The token API, /auth/…: the paths, bodies and errors that a SimpleJWT client expects.
import Router from '@koa/router'
import type { Middleware } from 'koa'
import type { LoginDeps } from '../../auth/login.ts'
import type { LogoutDeps } from '../../auth/logout.ts'
import type { RefreshDeps } from '../../auth/refresh.ts'
import type { SystemLog } from '../../ops/log.ts'
import { readBody } from '../body.ts'
import { answerErrors, onlyMethod, type DialectErrors } from '../errors.ts'
import { logoutErrors, tokenApiErrors } from './errors.ts'
import { postBlacklist } from './post-blacklist.ts'
import { postLogin } from './post-login.ts'
import { postLogout } from './post-logout.ts'
import { postRefresh } from './post-refresh.ts'
import { postVerify } from './post-verify.ts'

export interface TokenApiDeps extends LoginDeps, LogoutDeps, RefreshDeps {
  log: SystemLog
}

export function tokenApi(deps: TokenApiDeps): Router {
  const router = new Router({ prefix: '/auth', sensitive: true })
  const body = readBody()

  post('/login', tokenApiErrors, postLogin(deps))
  post('/token/refresh', tokenApiErrors, postRefresh(deps))
  post('/token/verify', tokenApiErrors, postVerify(deps))
  post('/token/blacklist', tokenApiErrors, postBlacklist(deps))
  post('/logout', logoutErrors, postLogout(deps))
  return router

  function post(path: string, errors: DialectErrors, handler: Middleware): void {
    router.all(path, noStore, answerErrors(errors, deps.log), onlyMethod('POST'), body, handler)
  }
}

const noStore: Middleware = async (ctx, next) => {
  ctx.set('Cache-Control', 'no-store')
  await next()
}
