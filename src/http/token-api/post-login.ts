// POST /auth/login/: username and password for a pair.
import { login, type LoginDeps } from '../../auth/sessions/login.ts'
import type { AllowedOrigins } from '../request/allowed-origins.ts'
import type { Endpoint } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { comesFromForeignSite } from '../request/foreign-site.ts'
import type { CallerOf } from '../request/caller.ts'
import { foreignPage } from './errors.ts'
import { loginFields, validateFields } from './fields.ts'
import { parseBody } from './parse-body.ts'
import type { RotationSetting } from './post-refresh.ts'

export type PostLoginDeps = LoginDeps & CallerOf & RotationSetting & AllowedOrigins

export function postLogin(deps: PostLoginDeps): Endpoint['handler'] {
  return async (ctx) => {
    // Or any page could have its visitors guess, and be slowed for it.
    if (comesFromForeignSite(deps, ctx)) throw new RefusalError(foreignPage)
    const { username, password } = validateFields(loginFields, await parseBody(ctx))
    const caller = deps.callerOf(ctx)
    const begun = await login(deps, { username, password, rotates: deps.tokenApiRotates, caller })
    ctx.body = { refresh: begun.refresh.token, access: begun.access.token }
  }
}
