// The endpoints for peers besides OAuth's, by the words in which they say no: what is published, the gateway check, the feed.
import type { Dialect } from '../endpoint.ts'
import { oauthErrors } from '../oauth/errors.ts'
import { tokenApiErrors } from '../token-api/errors.ts'
import { gatewayErrors } from './errors.ts'
import { getCheck, type GetCheckDeps } from './get-check.ts'
import { getFeed, type GetFeedDeps } from './get-feed.ts'
import { getJwks, type GetJwksDeps } from './get-jwks.ts'
import { getServerMetadata, type GetServerMetadataDeps } from './get-server-metadata.ts'

export type PeersDeps = GetJwksDeps & GetServerMetadataDeps

/** Peers ask for these before they ask anything: the keys that verify access tokens, and where everything is. */
export function peers(deps: PeersDeps): Dialect {
  return { errors: tokenApiErrors, isCacheable: true, endpoints: [getJwks(deps), getServerMetadata(deps)] }
}

export function gateway(deps: GetCheckDeps): Dialect {
  return { errors: gatewayErrors, endpoints: [getCheck(deps)] }
}

export function feed(deps: GetFeedDeps): Dialect {
  return { errors: oauthErrors, endpoints: [getFeed(deps)] }
}
