// POST /auth/login/: username and password for a pair.
import type { Middleware } from 'koa'
import { login, type LoginDeps } from '../../auth/login.ts'
import { originOf } from '../origin.ts'
import { loginFields, validateFields } from './fields.ts'
import { parseBody } from './parse-body.ts'

export function postLogin(deps: LoginDeps): Middleware {
  return async (ctx) => {
    const { username, password } = validateFields(loginFields, await parseBody(ctx))
    const { refresh, access } = await login(deps, { username, password, origin: originOf(ctx) })
    ctx.body = { refresh, access }
  }
}
