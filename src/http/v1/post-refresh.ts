// POST /api/v1/auth/refresh: a refresh token for the next pair.
import { refreshRotating, type RefreshDeps } from '../../auth/sessions/refresh.ts'
import type { Endpoint } from '../endpoint.ts'
import { readJson } from '../request/json-body.ts'
import type { CallerOf } from '../request/caller.ts'
import { refreshBody } from './fields.ts'
import { pairOf } from './pair.ts'

export function postRefresh(deps: RefreshDeps & CallerOf): Endpoint['handler'] {
  return async (ctx) => {
    const { refresh_token: token } = readJson(ctx, refreshBody)
    const pair = await refreshRotating(deps, {
      token,
      caller: deps.callerOf(ctx),
    })
    ctx.body = pairOf(pair)
  }
}
