// POST /auth/token/refresh/: a refresh token for a new access token.
import type { Middleware } from 'koa'
import { refresh, type RefreshDeps } from '../../auth/refresh.ts'
import { refreshFields, validateFields } from './fields.ts'
import { parseBody } from './parse-body.ts'

export function postRefresh(deps: RefreshDeps): Middleware {
  return async (ctx) => {
    const fields = validateFields(refreshFields, await parseBody(ctx))
    ctx.body = { access: await refresh(deps, fields.refresh) }
  }
}
