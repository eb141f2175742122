// DELETE /api/v1/auth/me: the account is deleted, once its password is confirmed.
import { removeAccount, type RemoveAccountDeps } from '../../auth/accounts/remove-account.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import type { Endpoint } from '../endpoint.ts'
import { readJson } from '../request/json-body.ts'
import { requireKnownNames } from '../request/known-names.ts'
import type { CallerOf } from '../request/caller.ts'
import { authenticated } from './authenticated.ts'
import { removal } from './fields.ts'
import { passwordConfirmed } from './password-confirmed.ts'

export function deleteMe(deps: AuthenticateDeps & RemoveAccountDeps & CallerOf): Endpoint['handler'] {
  return authenticated(deps, async (ctx, claims) => {
    const fields = readJson(ctx, removal)
    requireKnownNames(ctx, { fields, known: [], knownInBody: ['password'] })
    const { password } = fields
    await passwordConfirmed(removeAccount(deps, { claims, password, caller: deps.callerOf(ctx) }))
    ctx.status = 204
  })
}
