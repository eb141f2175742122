// POST /auth/token/refresh/: a refresh token for a new access token, and for its successor where the session rotates.
import { z } from 'zod'
import { refresh, refreshRotating, type RefreshDeps } from '../../auth/sessions/refresh.ts'
import { answers, takes } from '../describe/answers.ts'
import { ACCESS_TOKEN, REFRESH_TOKEN } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { atBothPaths } from './at-both-paths.ts'
import { refreshFields, validateFields } from './fields.ts'
import { MEDIA_TYPES, parseBody } from './parse-body.ts'
import { BAD_REFRESH_TOKEN, refused } from './refusals.ts'
import { TAGS } from './tags.ts'

export interface RotationSetting {
  /** `REFRESH_ROTATION`: whether each refresh at the token API brings a new refresh token. */
  tokenApiRotates: boolean
}

export type PostRefreshDeps = RefreshDeps & CallerOf & RotationSetting

const operation: Operation = {
  operationId: 'refreshToken',
  summary: 'Refresh the access token',
  description:
    'With `REFRESH_ROTATION=on`, also for its successor: the old refresh token is then used up. A token that ' +
    'rotates already (of the account API, say) rotates here too, whatever the setting.',
  tags: TAGS,
  security: [],
  requestBody: takes(refreshFields, { refresh: REFRESH_TOKEN }, MEDIA_TYPES),
  responses: {
    '200': answers(
      'The new access token, and the successor where tokens rotate.',
      z.object({ access: z.string(), refresh: z.string().optional() }),
      { access: ACCESS_TOKEN },
    ),
    ...refused(refreshFields, BAD_REFRESH_TOKEN),
  },
}

export function postRefresh(deps: PostRefreshDeps): Endpoint[] {
  return atBothPaths({
    method: 'POST',
    path: '/auth/token/refresh',
    guidePath: '/api/token/refresh',
    operation,
    handler: async (ctx) => {
      const { refresh: token } = validateFields(refreshFields, await parseBody(ctx))
      const input = { token, caller: deps.callerOf(ctx) }
      const answer = deps.tokenApiRotates ? await refreshRotating(deps, input) : await refresh(deps, input)
      const access = answer.access.token
      ctx.body = answer.refresh ? { access, refresh: answer.refresh.token } : { access }
    },
  })
}
