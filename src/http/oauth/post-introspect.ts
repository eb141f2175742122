// POST /oauth/introspect: what an access token says, if it is good (RFC 7662).
import { introspect, type Introspection, type IntrospectDeps } from '../../auth/tokens/introspect.ts'
import type { Endpoint } from '../endpoint.ts'
import { readTokenForm, type TokenFormDeps } from './fields.ts'

export type PostIntrospectDeps = IntrospectDeps & TokenFormDeps

export function postIntrospect(deps: PostIntrospectDeps): Endpoint['handler'] {
  return async (ctx) => {
    const { token } = await readTokenForm(deps, ctx)
    const found = await introspect(deps, token)
    ctx.body = found ? answerOf(found) : { active: false }
  }
}

function answerOf({ claims, username }: Introspection) {
  const { sub, client_id, scope, iss, aud, iat, exp, jti, sid } = claims
  return {
    active: true,
    sub,
    ...(username !== null && { username }),
    client_id,
    token_type: 'Bearer',
    ...{ scope, iss, aud, iat, exp, jti, sid },
  }
}
