// signoff/peer: accepts the service's access tokens, and knows when one was revoked.
export type { AccessClaims, EpochSeconds } from '../contract/claims.ts'
export type { ClientCredentials } from './client-credentials.ts'
export type { VerificationCounters } from './counters.ts'
export { createVerifier, type Verifier, type VerifierOptions } from './create-verifier.ts'
export type {
  Denylist,
  DenylistContext,
  DenylistSource,
  Freshness,
  SessionEndHandler,
  SessionEndReason,
  UnknownPolicy,
  Verdict,
  VerifiedToken,
} from './denylist.ts'
export { feed, type FeedOptions } from './feed/feed.ts'
export type { Fetch, FetchInit, FetchResponse } from './fetch.ts'
export { introspection, type IntrospectionOptions } from './introspection.ts'
export {
  authenticateUpgrade,
  type UpgradeAnswer,
  type UpgradeRequest,
} from './middleware/authenticate-upgrade.ts'
export {
  expressAuth,
  type Authenticated,
  type ExpressRequest,
  type ExpressResponse,
} from './middleware/express-auth.ts'
export { fastifyAuth, type FastifyReply, type FastifyRequest } from './middleware/fastify-auth.ts'
export { koaAuth, type KoaContext } from './middleware/koa-auth.ts'
export { redis, type Mget, type RedisOptions } from './redis.ts'
export { TokenError, type TokenErrorCode } from './token-error.ts'
