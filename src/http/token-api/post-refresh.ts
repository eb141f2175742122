// POST /auth/token/refresh/: a refresh token for a new access token, and for its successor where the session rotates.
import { refresh, refreshRotating, type RefreshDeps } from '../../auth/sessions/refresh.ts'
import type { Endpoint } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { refreshFields, validateFields } from './fields.ts'
import { parseBody } from './parse-body.ts'

export interface RotationSetting {
  /** `REFRESH_ROTATION`: whether each refresh at the token API brings a new refresh token. */
  tokenApiRotates: boolean
}

export type PostRefreshDeps = RefreshDeps & CallerOf & RotationSetting

export function postRefresh(deps: PostRefreshDeps): Endpoint['handler'] {
  return async (ctx) => {
    const fields = validateFields(refreshFields, await parseBody(ctx))
    const input = {
      token: fields.refresh,
      caller: deps.callerOf(ctx),
    }
    const answer = deps.tokenApiRotates ? await refreshRotating(deps, input) : await refresh(deps, input)
    const access = answer.access.token
    ctx.body = answer.refresh ? { access, refresh: answer.refresh.token } : { access }
  }
}
