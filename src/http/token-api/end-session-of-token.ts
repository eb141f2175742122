// POST /auth/logout/ with a refresh token in the body: ends the session behind it, or others of its user.
import type { Context } from 'koa'
import { logout, type LogoutDeps } from '../../auth/sessions/logout.ts'
import { InvalidInputError, RefusalError } from '../errors.ts'
import { readLogoutScope } from '../request/logout-scope.ts'
import type { CallerOf } from '../request/caller.ts'
import { logoutFields } from './fields.ts'
import type { Fields } from './parse-body.ts'

/** Whether the body means this dialect: it names a refresh token, or something that should have been one. */
export function namesRefreshToken(fields: Fields): boolean {
  return 'refresh_token' in fields || 'refresh' in fields
}

/** Answers the request. Rejects as `logout` does, or with the 400 for a body without a usable token. */
export async function endSessionOfToken(
  deps: LogoutDeps & CallerOf,
  ctx: Context,
  fields: Fields,
): Promise<void> {
  const result = logoutFields.safeParse({ refresh_token: fields['refresh'], ...fields })
  if (!result.success) throw tokenRequired()
  const scope = readLogoutScope(ctx, fields, ['refresh_token', 'refresh'])
  requireOneToken(fields)

  await logout(deps, { refreshToken: result.data.refresh_token, scope, caller: deps.callerOf(ctx) })
  ctx.body = { message: 'Logged out successfully' }
}

/** Both names are known, for clients of either kind. Throws where they stand for two different tokens. */
function requireOneToken({ refresh_token: token, refresh }: Fields): void {
  if (token === undefined || refresh === undefined || token === refresh) return
  throw new InvalidInputError([
    { field: 'refresh', message: 'The request names two tokens, so nothing was ended.' },
  ])
}

function tokenRequired(): RefusalError {
  return new RefusalError({ status: 400, body: { error: 'refresh_token is required' } })
}
