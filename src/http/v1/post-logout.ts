// POST /api/v1/auth/logout: ends the session of the tokens presented, or all of the user's.
import { logoutEither, type LogoutEitherDeps } from '../../auth/logout-either.ts'

import { bearerToken } from '../bearer-token.ts'
import type { Endpoint } from '../endpoint.ts'
import { RefusalError } from '../errors.ts'
import { readJson } from '../json-body.ts'
import type { OriginOf } from '../origin.ts'
import { tokenMissing } from './errors.ts'
import { logoutBody } from './fields.ts'

export function postLogout(deps: LogoutEitherDeps & OriginOf): Endpoint['handler'] {
  return async (ctx) => {
    const accessToken = bearerToken(ctx)
    const { refresh_token: refreshToken = null, all_devices: allDevices = false } = readJson(ctx, logoutBody)
    if (accessToken === null && refreshToken === null) throw new RefusalError(tokenMissing)

    await logoutEither(deps, { accessToken, refreshToken, allDevices, origin: deps.originOf(ctx) })
    ctx.status = 204
  }
}
