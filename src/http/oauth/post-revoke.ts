// POST /oauth/revoke: ends what stands behind a token (RFC 7009).
import type { LogoutBearerDeps } from '../../auth/sessions/logout-bearer.ts'
import { revokeToken } from '../../auth/tokens/revoke-token.ts'
import { answerEmpty } from '../empty-answer.ts'
import type { Endpoint } from '../endpoint.ts'
import { readTokenForm, type TokenFormDeps } from './fields.ts'

export type PostRevokeDeps = LogoutBearerDeps & TokenFormDeps

export function postRevoke(deps: PostRevokeDeps): Endpoint['handler'] {
  return async (ctx) => {
    const { token, clientId } = await readTokenForm(deps, ctx)
    await revokeToken(deps, { token, clientId, caller: deps.callerOf(ctx) })
    answerEmpty(ctx)
  }
}
