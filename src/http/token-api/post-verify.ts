// POST /auth/token/verify/: whether a token of either kind is good.
import type { RefreshDeps } from '../../auth/sessions/refresh.ts'
import { verifyToken } from '../../auth/tokens/verify-token.ts'
import type { Endpoint } from '../endpoint.ts'
import { validateFields, verifyFields } from './fields.ts'
import { parseBody } from './parse-body.ts'

export function postVerify(deps: RefreshDeps): Endpoint['handler'] {
  return async (ctx) => {
    const { token } = validateFields(verifyFields, await parseBody(ctx))
    await verifyToken(deps, token)
    ctx.body = {}
  }
}
