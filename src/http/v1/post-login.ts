// POST /api/v1/auth/login: username and password for a pair.
import { login, type LoginDeps } from '../../auth/sessions/login.ts'
import { credentials } from '../request/credentials.ts'
import type { Endpoint } from '../endpoint.ts'
import { readJson } from '../request/json-body.ts'
import type { CallerOf } from '../request/caller.ts'
import { pairOf } from './pair.ts'

export function postLogin(deps: LoginDeps & CallerOf): Endpoint['handler'] {
  return async (ctx) => {
    const { username, password } = readJson(ctx, credentials)
    const begun = await login(deps, { username, password, rotates: true, caller: deps.callerOf(ctx) })
    ctx.body = pairOf(begun)
  }
}
