// The composition root: the one file that knows every part.
import { agreedSettings } from './settings/agreed-settings.ts'
import { createPeerCache } from './auth/peers/peer-cache.ts'
import { createThrottle } from './auth/guessing/throttle.ts'
import { systemClock } from './clock.ts'
import { denialLeewaySeconds, type Config } from './config.ts'
import { createApp } from './http/server/create-app.ts'
import { bearer } from './http/bearer/dialect.ts'
import { browser } from './http/browser/dialect.ts'
import { listenAdmin } from './http/server/listen-admin.ts'
import { listen } from './http/server/listen.ts'
import { logoutEndpoint } from './http/logout/dialect.ts'
import { oauth } from './http/oauth/dialect.ts'
import { operators } from './http/operators/dialect.ts'
import { callerReader } from './http/request/caller.ts'
import { feedReaders } from './http/peers/feed-readers.ts'
import { feed, gateway, peers } from './http/peers/dialect.ts'
import { tokenApiErrors } from './http/token-api/errors.ts'
import { tokenApi } from './http/token-api/dialect.ts'
import { v1 } from './http/v1/dialect.ts'
import { waitingCallers } from './http/server/waiting-callers.ts'
import type { SystemLog } from './ops/log.ts'
import { createMetrics } from './ops/metrics.ts'
import { watchFiles } from './ops/watch-files.ts'
import { argon2Passwords, type Argon2Passwords } from './passwords/argon2-passwords.ts'
import { isCommonPassword } from './passwords/common-passwords.ts'
import { peerSecrets } from './passwords/peer-secrets.ts'
import { openStores, type Stores } from './store/open-stores.ts'
import { foreignTokens } from './tokens/foreign-tokens.ts'
import { jwtTokens } from './tokens/jwt-tokens.ts'
import type { Keys } from './tokens/load-keys.ts'
import { openAccessKeys, type OpenAccessKeys } from './tokens/open-access-keys.ts'
import { version } from './version.ts'

/** The settings must have grown into these before the service can run. */
export interface ServiceOptions {
  config: Config
  databaseUrl: string
  /** `null`: no Redis, the journal is asked every time. */
  redisUrl: string | null
  /** `null`: plain HTTP. */
  tls: { certFile: string; keyFile: string } | null
  keys: Keys
  /** Whether browsers are told to reach this host by HTTPS only, for a year. */
  sendsHsts: boolean
  log: SystemLog
}

export interface Service {
  port: number
  adminPort: number
  /** Says that it is not ready any more, and ends connections with their next answer; it goes on otherwise. */
  retire(): void
  /** Finishes what is in flight, for `deadlineMs` at the most, then closes everything. */
  stop(deadlineMs: number): Promise<void>
}

const DIALECTS = [tokenApi, browser, logoutEndpoint, bearer, v1, peers, oauth, gateway, feed, operators]

/** Resolves when it accepts connections. Rejects when a port is taken or the certificate is unusable. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, log } = options
  const metrics = createMetrics()
  let isRetired = false

  const accessKeys = openKeys(options)
  const stores = openStores({
    ...options,
    agreedSettings: () => agreedSettings(options, accessKeys.kids()),
    databasePoolSize: config.DATABASE_POOL_SIZE,
    redisPrefix: config.REDIS_PREFIX,
    denialLeewaySeconds: denialLeewaySeconds(config),
    denials: {
      issuer: config.ISSUER,
      leaseSeconds: config.DENYLIST_LEASE,
      accessAgeSeconds: config.ACCESS_TOKEN_TTL,
      leewaySeconds: config.LEEWAY,
    },
    logRetentionSeconds: config.LOG_RETENTION,
    isProduction: config.NODE_ENV === 'production',
    metrics,
  })
  const passwords = argon2Passwords(log)
  const readers = feedReaders({ feed: stores.feed, metrics })
  const parts = { stores, passwords, accessKeys }
  const deps = { ...dialectDeps(options, parts), feedReaders: readers, isRetired: () => isRetired }
  const app = createApp({
    dialects: DIALECTS.map((dialect) => dialect(deps)),
    version,
    fallback: tokenApiErrors,
    allowedOrigins: config.ALLOWED_ORIGINS,
    log,
    metrics,
    callers: deps.callers,
    sendsHsts: options.sendsHsts,
    isRetired: deps.isRetired,
  })
  const closers: ((deadlineMs: number) => Promise<void>)[] = [
    async () => {
      deps.callers.close()
      accessKeys.close()
      await Promise.all([stores.close(), passwords.close()])
    },
  ]
  const retire = (): void => {
    isRetired = true
  }
  const stop = async (deadlineMs: number): Promise<void> => {
    retire()
    readers.close()
    for (const close of closers.reverse()) await close(deadlineMs)
  }

  try {
    const admin = await listenAdmin({ host: config.ADMIN_HOST, port: config.ADMIN_PORT }, metrics)
    closers.push(async () => {
      await admin.close()
    })
    const server = await listen({
      app,
      host: config.HOST,
      port: config.PORT,
      tls: options.tls,
      limits: {
        maxPerAddress: config.MAX_CONNECTIONS_PER_ADDRESS,
        trustProxy: config.TRUST_PROXY,
        metrics,
      },
      log,
    })
    closers.push(async (deadlineMs) => {
      await server.close(deadlineMs)
    })
    return { port: server.port, adminPort: admin.port, retire, stop }
  } catch (error) {
    await stop(0)
    throw error
  }
}

const now = (): number => Math.floor(Date.now() / 1000)

function openKeys({ config, keys, log }: ServiceOptions): OpenAccessKeys {
  return openAccessKeys({
    keys,
    sharedSecret: config.ACCESS_TOKEN_ALG === 'HS256' ? (config.SECRET_KEY ?? null) : null,
    accessTtlSeconds: config.ACCESS_TOKEN_TTL,
    leewaySeconds: config.LEEWAY,
    now,
    watch: watchFiles,
    log,
  })
}

interface Parts {
  stores: Stores
  passwords: Argon2Passwords
  accessKeys: OpenAccessKeys
}

/** All that any dialect needs. */
function dialectDeps({ config, keys, log }: ServiceOptions, { stores, passwords, accessKeys }: Parts) {
  const leewaySeconds = config.LEEWAY
  const refreshTtlSeconds = Math.min(config.REFRESH_TOKEN_TTL, config.SESSION_MAX_AGE)
  const tokens = jwtTokens({
    accessSigners: accessKeys.signers,
    refreshSigner: keys.refresh,
    accessSeal: keys.accessSeal,
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    accessTtlSeconds: config.ACCESS_TOKEN_TTL,
    refreshTtlSeconds,
    leewaySeconds,
    now,
  })
  const callers = waitingCallers(systemClock, log)
  return {
    ...stores,
    throttle: createThrottle(stores.attempts),
    peerCache: createPeerCache({ peers: stores.peers, peerSecrets, nowMs: () => performance.now() }),
    passwords,
    isCommonPassword,
    tokens,
    foreignTokens: foreignTokens({
      secretKey: config.SECRET_KEY ?? null,
      issuers: keys.trustedIssuers,
      ownIssuer: config.ISSUER,
      leewaySeconds,
      maxAgeSeconds: config.FOREIGN_TOKEN_MAX_AGE,
      now,
      onFetchFailure: ({ href }, cause) => {
        log.warn({ url: href, err: cause }, 'the keys of a trusted issuer cannot be fetched')
      },
      onOutlivesDenial: (token) => {
        log.warn(
          token,
          'a token of another service lives longer than FOREIGN_TOKEN_MAX_AGE, and was not ended',
        )
      },
      onWeakKey: ({ href }, { kid, problem }) => {
        log.warn({ url: href, kid, problem }, 'a key of a trusted issuer is not used: its tokens are refused')
      },
    }),
    decoyHash: passwords.decoyHash,
    now,
    nowMs: Date.now,
    leewaySeconds: denialLeewaySeconds(config),
    refreshTtlSeconds,
    sessionMaxAgeSeconds: config.SESSION_MAX_AGE,
    maxSessionsPerUser: config.MAX_SESSIONS_PER_USER,
    rotationGraceSeconds: config.ROTATION_GRACE,
    tokenApiRotates: config.REFRESH_ROTATION === 'on',
    isRegistrationOpen: config.REGISTRATION === 'open',
    csrfSecret: keys.csrfSecret,
    allowedOrigins: [...config.ALLOWED_ORIGINS, new URL(config.ISSUER).origin],
    cookieSameSite: config.SESSION_COOKIE_SAMESITE,
    gatewayTakesCookie: config.GATEWAY_COOKIE === 'on',
    callerOf: callerReader(config.TRUST_PROXY, callers),
    callers,
    jwks: accessKeys.jwks,
    issuer: config.ISSUER,
    log,
  }
}
