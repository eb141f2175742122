// What peers ask for: the keys that verify access tokens.
import Router from '@koa/router'
import type { JWK } from 'jose'
import { onlyMethod } from '../errors.ts'

export interface PeersDeps {
  /** Public keys, as published (RFC 7517 section 5). */
  jwks: { keys: JWK[] }
}

/** Peers may keep the keys this long; a key is published at least as long before it signs. */
const JWKS_MAX_AGE_SECONDS = 300

export function peersRouter({ jwks }: PeersDeps): Router {
  const router = new Router({ sensitive: true })
  router.all('/.well-known/jwks.json', onlyMethod('GET'), (ctx) => {
    ctx.set('Cache-Control', `public, max-age=${JWKS_MAX_AGE_SECONDS}`)
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.body = jwks
  })
  return router
}
