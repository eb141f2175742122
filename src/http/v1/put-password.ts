// PUT /api/v1/auth/password: a new password for the current one; the user's other sessions end.
import { z } from 'zod'
import { changePassword, type ChangePasswordDeps } from '../../auth/accounts/change-password.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import { takes } from '../describe/answers.ts'
import { CREDENTIALS } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import type { CallerOf } from '../request/caller.ts'
import { anyText, password } from '../request/credentials.ts'
import { readJson } from '../request/json-body.ts'
import { requireKnownNames } from '../request/known-names.ts'
import { ASKED_WITH_ACCESS_TOKEN, authenticated } from './authenticated.ts'
import { passwordConfirmed, refusedWithPassword } from './password-confirmed.ts'
import { missing } from './refusals.ts'

export type PutPasswordDeps = AuthenticateDeps & ChangePasswordDeps & CallerOf

const body = z.looseObject({ current_password: password, new_password: anyText })

const operation: Operation = {
  operationId: 'changePassword',
  summary: 'Change the password',
  description: 'Every other session of the user ends; the one that asks goes on.',
  ...ASKED_WITH_ACCESS_TOKEN,
  requestBody: takes(body, {
    current_password: CREDENTIALS.password,
    new_password: 'incorrect zebra capacitor pin',
  }),
  responses: {
    '204': { description: 'The new password holds.' },
    ...refusedWithPassword(['password_too_weak', 'throttled'], missing('new_password')),
  },
}

export function putPassword(deps: PutPasswordDeps): Endpoint {
  return {
    method: 'PUT',
    path: '/api/v1/auth/password',
    operation,
    handler: authenticated(deps, async (ctx, claims) => {
      const fields = readJson(ctx, body)
      requireKnownNames(ctx, { fields, known: [], knownInBody: ['current_password', 'new_password'] })
      const { current_password: currentPassword, new_password: newPassword } = fields
      const caller = deps.callerOf(ctx)
      await passwordConfirmed(changePassword(deps, { claims, currentPassword, newPassword, caller }))
      ctx.status = 204
    }),
  }
}
