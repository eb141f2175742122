// POST /api/v1/auth/register: a new account, and its first session.
import { register, type RegisterDeps } from '../../auth/accounts/register.ts'
import type { Endpoint } from '../endpoint.ts'
import { readJson } from '../request/json-body.ts'
import type { CallerOf } from '../request/caller.ts'
import { registration } from './fields.ts'
import { pairOf } from './pair.ts'

export function postRegister(deps: RegisterDeps & CallerOf): Endpoint['handler'] {
  return async (ctx) => {
    const credentials = readJson(ctx, registration)
    const begun = await register(deps, { ...credentials, caller: deps.callerOf(ctx) })
    ctx.status = 201
    ctx.body = { user: begun.user, ...pairOf(begun) }
  }
}
