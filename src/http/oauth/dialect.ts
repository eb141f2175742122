// The OAuth endpoints for peers: introspection and revocation of tokens.
import type { Dialect } from '../endpoint.ts'
import { oauthErrors } from './errors.ts'
import { postIntrospect, type PostIntrospectDeps } from './post-introspect.ts'
import { postRevoke, type PostRevokeDeps } from './post-revoke.ts'

export type OAuthDeps = PostIntrospectDeps & PostRevokeDeps

export function oauth(deps: OAuthDeps): Dialect {
  return {
    errors: oauthErrors,
    prefix: '/oauth',
    endpoints: [postIntrospect(deps), postRevoke(deps)],
  }
}
