// The OAuth endpoints for peers: introspection and revocation of tokens.
import type { Dialect } from '../endpoint.ts'
import { oauthErrors } from './errors.ts'
import { introspect, revoke } from './operations.ts'
import { postIntrospect, type PostIntrospectDeps } from './post-introspect.ts'
import { postRevoke, type PostRevokeDeps } from './post-revoke.ts'

export type OAuthDeps = PostIntrospectDeps & PostRevokeDeps

export function oauth(deps: OAuthDeps): Dialect {
  return {
    errors: oauthErrors,
    prefix: '/oauth',
    endpoints: [
      { method: 'POST', path: '/oauth/introspect', operation: introspect, handler: postIntrospect(deps) },
      { method: 'POST', path: '/oauth/revoke', operation: revoke, handler: postRevoke(deps) },
    ],
  }
}
