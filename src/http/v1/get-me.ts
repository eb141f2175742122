// GET /api/v1/auth/me: the account behind the access token.
import { readAccount, type ReadAccountDeps } from '../../auth/accounts/read-account.ts'
import type { AuthenticateDeps } from '../../auth/tokens/verify-access.ts'
import { answers } from '../describe/answers.ts'
import { USER } from '../describe/samples.ts'
import type { Endpoint, Operation } from '../endpoint.ts'
import { ASKED_WITH_ACCESS_TOKEN, authenticated, TOKEN_MISSING } from './authenticated.ts'
import { BAD_TOKEN, refused } from './refusals.ts'
import { user } from './user.ts'

const operation: Operation = {
  operationId: 'readAccount',
  summary: 'Read the account behind the access token',
  ...ASKED_WITH_ACCESS_TOKEN,
  responses: {
    '200': answers('The account, as it is now.', user, USER),
    ...refused({ rules: BAD_TOKEN, others: TOKEN_MISSING }),
  },
}

export function getMe(deps: AuthenticateDeps & ReadAccountDeps): Endpoint {
  return {
    method: 'GET',
    path: '/api/v1/auth/me',
    operation,
    handler: authenticated(deps, async (ctx, claims) => {
      const { id, username, role } = await readAccount(deps, claims.sub)
      ctx.body = { id, username, role }
    }),
  }
}
