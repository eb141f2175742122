// POST /auth/logout/: ends the session behind a refresh token.
import type { Middleware } from 'koa'
import { logout, type LogoutDeps } from '../../auth/logout.ts'
import { bodyOf } from '../body.ts'
import { RefusalError } from '../errors.ts'
import { originOf } from '../origin.ts'
import { unauthorized } from './errors.ts'
import { logoutFields } from './fields.ts'
import { parseBody } from './parse-body.ts'

export function postLogout(deps: LogoutDeps): Middleware {
  return async (ctx) => {
    if (!bodyOf(ctx)) throw notAuthenticated()

    const { refresh, ...fields } = await parseBody(ctx)
    const result = logoutFields.safeParse({ refresh_token: refresh, ...fields })
    if (!result.success) throw tokenRequired()

    await logout(deps, { refreshToken: result.data.refresh_token, origin: originOf(ctx) })
    ctx.body = { message: 'Logged out successfully' }
  }
}

/** Nothing in the request says whose session is meant. */
function notAuthenticated(): RefusalError {
  return new RefusalError(
    unauthorized({ error_code: 'NOT_AUTHENTICATED', message: 'No credential was presented.' }),
  )
}

function tokenRequired(): RefusalError {
  return new RefusalError({ status: 400, body: { error: 'refresh_token is required' } })
}
