// Peers ask for these before they ask anything: the keys that verify access tokens, and where everything is.
import type { JWK } from 'jose'
import type { Dialect, Endpoint } from '../endpoint.ts'
import { authorizationServerMetadata } from '../oauth/metadata.ts'
import { metadata } from '../oauth/operations.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { jwks } from './operations.ts'

export interface PeersDeps {
  /** Public keys, as they are published at this moment (RFC 7517 section 5). */
  jwks: () => { keys: JWK[] }
  /** `iss` of the tokens: the URL under which this service is reached. */
  issuer: string
}

/** Peers may keep them this long; `keys rotate` publishes a key for much longer before it signs. */
const MAX_AGE_SECONDS = 300

export function peers(deps: PeersDeps): Dialect {
  const metadataOfIssuer = authorizationServerMetadata(deps.issuer)
  return {
    errors: tokenApiErrors,
    isCacheable: true,
    endpoints: [
      { method: 'GET', path: '/.well-known/jwks.json', operation: jwks, handler: publish(deps.jwks) },
      {
        method: 'GET',
        path: '/.well-known/oauth-authorization-server',
        operation: metadata,
        handler: publish(() => metadataOfIssuer),
      },
    ],
  }
}

function publish(document: () => object): Endpoint['handler'] {
  return (ctx) => {
    ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`)
    // For pages everywhere, and so with nobody's credentials, not even a listed origin's.
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.remove('Access-Control-Allow-Credentials')
    ctx.body = document()
  }
}
