// POST /oauth/revoke: ends what stands behind a token (RFC 7009).
import type { LogoutBearerDeps } from '../../auth/sessions/logout-bearer.ts'
import { revokeToken } from '../../auth/tokens/revoke-token.ts'
import { answerEmpty } from '../empty-answer.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { ASKED_WITH_TOKEN, readTokenForm, refusedWithToken, type TokenFormDeps } from './token-form.ts'

export type PostRevokeDeps = LogoutBearerDeps & TokenFormDeps

const operation: Operation = {
  operationId: 'revokeToken',
  summary: 'End the session behind a token of either kind (RFC 7009)',
  description:
    'A token of a trusted foreign issuer is denied itself, unless it lives longer than denials are kept: that is 400. A token that has expired ends its session all the same.',
  ...ASKED_WITH_TOKEN,
  responses: {
    '200': { description: 'The session is over, now or before; or there was none. Without a body.' },
    ...refusedWithToken('token_outlives_denial'),
  },
}

export function postRevoke(deps: PostRevokeDeps): Endpoint {
  return {
    method: 'POST',
    path: '/oauth/revoke',
    operation,
    handler: async (ctx) => {
      const { token, clientId } = await readTokenForm(deps, ctx)
      await revokeToken(deps, { token, clientId, caller: deps.callerOf(ctx) })
      answerEmpty(ctx)
    },
  }
}
