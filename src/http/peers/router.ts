// What peers ask for: the keys that verify access tokens.
import type { JWK } from 'jose'
import type { Dialect, Endpoint } from '../endpoint.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { jwks } from './operations.ts'

export interface PeersDeps {
  /** Public keys, as published (RFC 7517 section 5). */
  jwks: { keys: JWK[] }
}

/** Peers may keep the keys this long; a key is published at least as long before it signs. */
const JWKS_MAX_AGE_SECONDS = 300

export function peers(deps: PeersDeps): Dialect {
  return {
    errors: tokenApiErrors,
    isCacheable: true,
    endpoints: [{ method: 'GET', path: '/.well-known/jwks.json', operation: jwks, handler: getJwks(deps) }],
  }
}

function getJwks(deps: PeersDeps): Endpoint['handler'] {
  return (ctx) => {
    ctx.set('Cache-Control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`)
    // For pages everywhere, and so with nobody's credentials, not even a listed origin's.
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.remove('Access-Control-Allow-Credentials')
    ctx.body = deps.jwks
  }
}
