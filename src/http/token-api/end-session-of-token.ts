// POST /auth/logout/ with a refresh token in the body: ends the session behind it, or others of its user.
import type { Context } from 'koa'
import { z } from 'zod'
import { logout, type LogoutDeps } from '../../auth/sessions/logout.ts'
import { InvalidInputError, RefusalError, type Refusal } from '../errors.ts'
import { readLogoutScope } from '../request/logout-scope.ts'
import type { CallerOf } from '../request/caller.ts'
import { text } from './fields.ts'
import type { Fields } from './parse-body.ts'

export const logoutFields = z.object({ refresh_token: text.transform((value) => value.trim()) })

export const tokenRequired: Refusal = { status: 400, body: { error: 'refresh_token is required' } }

/** The body of the success. */
export const loggedOut = { message: 'Logged out successfully' }

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
  if (!result.success) throw new RefusalError(tokenRequired)
  const scope = readLogoutScope(ctx, fields, ['refresh_token', 'refresh'])
  requireOneToken(fields)

  await logout(deps, { refreshToken: result.data.refresh_token, scope, caller: deps.callerOf(ctx) })
  ctx.body = loggedOut
}

/** Both names are known, for clients of either kind. Throws where they stand for two different tokens. */
function requireOneToken({ refresh_token: token, refresh }: Fields): void {
  if (token === undefined || refresh === undefined || token === refresh) return
  throw new InvalidInputError([
    { field: 'refresh', message: 'The request names two tokens, so nothing was ended.' },
  ])
}
