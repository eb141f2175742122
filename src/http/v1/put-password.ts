// PUT /api/v1/auth/password: a new password for the current one; the user's other sessions end.
import { changePassword, type ChangePasswordDeps } from '../../auth/accounts/change-password.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import type { Endpoint } from '../endpoint.ts'
import { readJson } from '../request/json-body.ts'
import { requireKnownNames } from '../request/known-names.ts'
import type { CallerOf } from '../request/caller.ts'
import { authenticated } from './authenticated.ts'
import { passwordChange } from './fields.ts'
import { passwordConfirmed } from './password-confirmed.ts'

export function putPassword(deps: AuthenticateDeps & ChangePasswordDeps & CallerOf): Endpoint['handler'] {
  return authenticated(deps, async (ctx, claims) => {
    const fields = readJson(ctx, passwordChange)
    requireKnownNames(ctx, { fields, known: [], knownInBody: ['current_password', 'new_password'] })
    const { current_password: currentPassword, new_password: newPassword } = fields
    const caller = deps.callerOf(ctx)
    await passwordConfirmed(changePassword(deps, { claims, currentPassword, newPassword, caller }))
    ctx.status = 204
  })
}
