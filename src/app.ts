// The composition root: the one file that knows every part.
import { randomBytes } from 'node:crypto'
import type { Config } from './config.ts'
import { createApp } from './http/create-app.ts'
import { listenAdmin } from './http/listen-admin.ts'
import { listen } from './http/listen.ts'
import { operatorsRouter } from './http/operators/router.ts'
import { peersRouter } from './http/peers/router.ts'
import { tokenApi } from './http/token-api/router.ts'
import type { SystemLog } from './ops/log.ts'
import { createMetrics } from './ops/metrics.ts'
import { argon2Passwords } from './passwords/argon2-passwords.ts'
import { openStores } from './store/open-stores.ts'
import { jwtTokens } from './tokens/jwt-tokens.ts'
import { accessKeys, type Keys } from './tokens/load-keys.ts'

/** What the settings must have grown into before the service can run. */
export interface ServiceOptions {
  config: Config
  databaseUrl: string
  /** `null`: no Redis, the journal is asked every time. */
  redisUrl: string | null
  /** `null`: plain HTTP. */
  tls: { certFile: string; keyFile: string } | null
  keys: Keys
  log: SystemLog
}

export interface Service {
  port: number
  adminPort: number
  /** Finishes what is in flight, for `deadlineMs` at the most, then closes everything. */
  stop(deadlineMs: number): Promise<void>
}

/** Resolves when it accepts connections. Rejects when a port is taken or the certificate is unusable. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, log } = options
  const metrics = createMetrics()
  const now = (): number => Math.floor(Date.now() / 1000)
  const leewaySeconds = config.LEEWAY
  let isDraining = false

  const stores = openStores({ ...options, leewaySeconds, metrics })
  const passwords = argon2Passwords(log)
  const sharedSecret = config.ACCESS_TOKEN_ALG === 'HS256' ? (config.SECRET_KEY ?? null) : null
  const { signers, jwks } = accessKeys(options.keys.signing, sharedSecret)
  const tokens = jwtTokens({
    accessSigners: signers,
    refreshSigner: options.keys.refresh,
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    accessTtlSeconds: config.ACCESS_TOKEN_TTL,
    refreshTtlSeconds: config.REFRESH_TOKEN_TTL,
    leewaySeconds,
    now,
  })
  const decoyHash = await passwords.hash(randomBytes(32).toString('base64url'))

  const app = createApp({
    routers: [
      tokenApi({ ...stores, passwords, tokens, decoyHash, leewaySeconds, now, log }),
      peersRouter({ jwks }),
      operatorsRouter(stores),
    ],
    allowedOrigins: config.ALLOWED_ORIGINS,
    log,
    metrics,
    isDraining: () => isDraining,
  })
  const closers: ((deadlineMs: number) => Promise<void>)[] = [
    async () => {
      await Promise.all([stores.close(), passwords.close()])
    },
  ]
  const stop = async (deadlineMs: number): Promise<void> => {
    isDraining = true
    for (const close of closers.reverse()) await close(deadlineMs)
  }

  try {
    const admin = await listenAdmin(config.ADMIN_PORT, metrics)
    closers.push(async () => {
      await admin.close()
    })
    const server = await listen({ app, host: config.HOST, port: config.PORT, tls: options.tls, log })
    closers.push(async (deadlineMs) => {
      await server.close(deadlineMs)
    })
    return { port: server.port, adminPort: admin.port, stop }
  } catch (error) {
    await stop(0)
    throw error
  }
}
