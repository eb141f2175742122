// DELETE /api/v1/auth/me: the account is deleted, once its password is confirmed.
import { z } from 'zod'
import { removeAccount, type RemoveAccountDeps } from '../../auth/accounts/remove-account.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import { takes } from '../describe/answers.ts'
import { CREDENTIALS } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { password } from '../request/credentials.ts'
import { readJson } from '../request/json-body.ts'
import { requireKnownNames } from '../request/known-names.ts'
import { ASKED_WITH_ACCESS_TOKEN, authenticated } from './authenticated.ts'
import { passwordConfirmed, refusedWithPassword } from './password-confirmed.ts'
import { missing } from './refusals.ts'

export type DeleteMeDeps = AuthenticateDeps & RemoveAccountDeps & CallerOf

const body = z.looseObject({ password })

const operation: Operation = {
  operationId: 'removeAccount',
  summary: 'Delete the account',
  description: 'Every session of it ends.',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestBody: takes(body, { password: CREDENTIALS.password }),
  responses: {
    '204': { description: 'The account is gone.' },
    ...refusedWithPassword(['throttled'], missing('password')),
  },
}

export function deleteMe(deps: DeleteMeDeps): Endpoint {
  return {
    method: 'DELETE',
    path: '/api/v1/auth/me',
    operation,
    handler: authenticated(deps, async (ctx, claims) => {
      const fields = readJson(ctx, body)
      requireKnownNames(ctx, { fields, known: [], knownInBody: ['password'] })
      const input = { claims, password: fields.password, caller: deps.callerOf(ctx) }
      await passwordConfirmed(removeAccount(deps, input))
      ctx.status = 204
    }),
  }
}
