// POST /auth/login/: username and password for a pair.
import { login, type LoginDeps } from '../../auth/login.ts'
import type { Endpoint } from '../endpoint.ts'
import type { OriginOf } from '../origin.ts'
import { loginFields, validateFields } from './fields.ts'
import { parseBody } from './parse-body.ts'
import type { RotationSetting } from './post-refresh.ts'

export function postLogin(deps: LoginDeps & OriginOf & RotationSetting): Endpoint['handler'] {
  return async (ctx) => {
    const { username, password } = validateFields(loginFields, await parseBody(ctx))
    const origin = deps.originOf(ctx)
    const begun = await login(deps, { username, password, rotates: deps.tokenApiRotates, origin })
    ctx.body = { refresh: begun.refresh.token, access: begun.access.token }
  }
}
