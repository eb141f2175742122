// All that a run runs on: Postgres, Redis, two instances that share them, and the proxies between.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { usernameKey } from '../../src/auth/accounts/username-key.ts'
import { generateKeys } from '../../src/commands/keys.ts'
import { developmentCertificate } from '../../src/embedded/certificate.ts'
import { freePort } from '../../src/embedded/process/free-port.ts'
import { peerSecrets } from '../../src/passwords/peer-secrets.ts'
import type { ClientCredentials } from '../../src/peer/index.ts'
import { PASSWORD } from '../support/service/environment.ts'
import { passwordHash } from '../support/service/password-hash.ts'
import { tcpProxy, type TcpProxy } from '../support/servers/tcp-proxy.ts'
import { startFeedPeer, type FeedPeer } from './feed-peer.ts'
import { INSTANCES, type Bounds, type InstanceName } from './history.ts'
import { instance, type Instance } from './instance.ts'
import { postgresWorld, type PostgresWorld, type RunPostgres } from './postgres-world.ts'
import type { RedisWorld } from './redis-world.ts'

/** All of it but what is done to Postgres. */
export interface RunService {
  instances: Record<InstanceName, Instance>
  /** The way of each instance to its stores. Where Redis cannot stand behind a proxy, there is none. */
  ways: Record<InstanceName, { postgres: TcpProxy; redis: TcpProxy | null }>
  /** The way of the feed peer to each of them. */
  feedWays: Record<InstanceName, TcpProxy>
  feedPeer: FeedPeer
  redis: RedisWorld
  usernames: readonly string[]
  /** PEM, of both. */
  certificate: string
  stop: () => Promise<void>
}

export interface World extends RunService {
  postgres: PostgresWorld
}

export interface WorldOptions {
  redis: () => Promise<RedisWorld>
  /** Of an instance, over those of every run. */
  settings?: (name: InstanceName) => Record<string, string>
  /** Holds the `main.js` that is run. */
  dist?: string
}

const ACCESS_TTL_SECONDS = 15
const REFRESH_TTL_SECONDS = 25
const LEEWAY_SECONDS = 4
const GRACE_SECONDS = 4
const ISSUER = 'https://auth.example.com'
const LEASE_SECONDS = 5
const USERS = 12

export const BOUNDS: Bounds = {
  leaseMs: LEASE_SECONDS * 1000,
  graceMs: GRACE_SECONDS * 1000,
  leewayMs: LEEWAY_SECONDS * 1000,
  skewMs: (LEEWAY_SECONDS * 1000) / 2,
  settleMs: 5000,
}

const SETTINGS = {
  ACCESS_TOKEN_TTL: String(ACCESS_TTL_SECONDS),
  REFRESH_TOKEN_TTL: String(REFRESH_TTL_SECONDS),
  LEEWAY: String(LEEWAY_SECONDS),
  ROTATION_GRACE: String(GRACE_SECONDS),
  DENYLIST_LEASE: String(LEASE_SECONDS),
  // A login that ends the oldest session of its user would end one that nobody wanted over.
  MAX_SESSIONS_PER_USER: '10000',
  TRUST_PROXY: 'loopback',
  // One for both, whatever their ports.
  ISSUER,
}

/** Resolves when both instances serve. Whatever was started is stopped again when something does not start. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const postgres = await postgresWorld()
  const service = await startService(postgres, options)
  const { one, two } = service.ways
  return { ...service, postgres: followed(postgres, [one.postgres, two.postgres]) }
}

/** The same on a Postgres that is migrated, and empty, and that is removed with the rest. */
export async function startService(postgres: RunPostgres, options: WorldOptions): Promise<RunService> {
  const { redis: startRedis, dist = 'dist' } = options
  const undo: (() => Promise<void>)[] = [postgres.remove]
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  try {
    const directory = await mkdtemp(join(tmpdir(), 'signoff-fault-'))
    undo.push(async () => {
      await rm(directory, { recursive: true, force: true })
    })
    const redis = await startRedis()
    undo.push(redis.remove)
    const usernames = await addUsers(postgres)
    const peer = await addPeer(postgres)
    const { certFile, ...keys } = await keyFiles(directory)

    const makeOne = async (name: InstanceName) => {
      const way = await wayOf({ postgres, redis })
      undo.push(way.close)
      const made = instance({
        name,
        directory,
        program: resolve(dist, 'main.js'),
        port: await freePort(),
        settings: {
          ...SETTINGS,
          ...keys,
          TLS_CERT_FILE: certFile,
          ...way.settings,
          ...options.settings?.(name),
        },
      })
      undo.push(made.stop)
      await made.start()
      const feedWay = await tcpProxy(Number(new URL(made.url).port))
      undo.push(feedWay.close)
      return { made, way, feedWay }
    }
    const [one, two] = [await makeOne('one'), await makeOne('two')]
    const certificate = await readFile(certFile, 'utf8')
    const feedWays = { one: one.feedWay, two: two.feedWay }
    const leewaySeconds = LEEWAY_SECONDS
    const feedPeer = await startFeedPeer({
      issuer: ISSUER,
      credentials: peer,
      ways: feedWays,
      certificate,
      leewaySeconds,
    })
    undo.push(feedPeer.close)
    return {
      instances: { one: one.made, two: two.made },
      ways: { one: one.way, two: two.way },
      feedWays,
      feedPeer,
      redis,
      usernames,
      certificate,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function wayOf({ postgres, redis }: { postgres: RunPostgres; redis: RedisWorld }) {
  const toPostgres = await tcpProxy(Number(new URL(postgres.url()).port))
  const toRedis = redis.port === null ? null : await tcpProxy(redis.port)
  return {
    postgres: toPostgres,
    redis: toRedis,
    settings: {
      DATABASE_URL: through(postgres.url(), toPostgres),
      REDIS_URL: toRedis ? through(redis.url, toRedis) : redis.url,
    },
    close: async () => {
      await Promise.all([toPostgres.close(), toRedis?.close()])
    },
  }
}

function through(url: string, { port }: TcpProxy): string {
  const changed = new URL(url)
  changed.port = String(port)
  return changed.href
}

/** Each start of Postgres is on another port; its proxies are told. */
function followed(postgres: PostgresWorld, proxies: readonly TcpProxy[]): PostgresWorld {
  return {
    ...postgres,
    start: async () => {
      await postgres.start()
      for (const proxy of proxies) proxy.target(Number(new URL(postgres.url()).port))
    },
  }
}

async function keyFiles(directory: string) {
  const { certFile, keyFile } = await developmentCertificate(directory)
  const signingKeysFile = join(directory, 'signing-keys.json')
  const refreshKeyFile = join(directory, 'refresh-key')
  await generateKeys({ signingKeysFile, refreshKeyFile })
  return {
    certFile,
    TLS_KEY_FILE: keyFile,
    SIGNING_KEYS_FILE: signingKeysFile,
    REFRESH_KEY_FILE: refreshKeyFile,
  }
}

/** A login holds its user's row until it is durable, so there are several of them. */
async function addUsers(postgres: RunPostgres): Promise<string[]> {
  const usernames = Array.from({ length: USERS }, (_, index) => `user-${index}`)
  const hash = passwordHash(PASSWORD)
  for (const username of usernames) {
    await postgres.sql(
      `INSERT INTO users (id, username, username_key, password_hash, role) VALUES ($1, $2, $3, $4, 'user')`,
      [uuidv7(), username, usernameKey(username), hash],
    )
  }
  return usernames
}

async function addPeer(postgres: RunPostgres): Promise<ClientCredentials> {
  const clientSecret = peerSecrets.create()
  const hash = Buffer.from(peerSecrets.hash(clientSecret))
  await postgres.sql('INSERT INTO peers (client_id, secret_hash) VALUES ($1, $2)', ['feed-peer', hash])
  return { clientId: 'feed-peer', clientSecret }
}

export function eachInstance<T>(make: (name: InstanceName) => T): T[] {
  return INSTANCES.map(make)
}
