// The settings: what each one is and may be; reports every problem at once, freezes the result.
import { z } from 'zod'
import { ConfigError } from './settings/config-error.ts'
import { MAX_ACCESS_TOKEN_SECONDS, MAX_SESSION_SECONDS } from './contract/claims.ts'
import { misspelledSettings } from './settings/misspelled-settings.ts'
import { SECRETS, withSecrets } from './settings/secret-files.ts'
import { withoutEmpty } from './settings/settings-environment.ts'
import {
  integer,
  issuerUrl,
  onOrOff,
  originPatterns,
  proxies,
  redisPrefix,
  redisUrl,
  roles,
} from './settings/setting-types.ts'

const DEFAULT_PORT = 8443

const settings = z.object({
  /** The public port, HTTPS. `0` takes a free one. */
  PORT: integer(0, 65535).default(DEFAULT_PORT),
  /** The address to listen on; `::` is every address, IPv4 included. */
  HOST: z.string().default('::'),
  /** The address that the metrics are served at. They are plain HTTP and ask for no password: keep it private. */
  ADMIN_HOST: z.string().default('127.0.0.1'),
  /** Port of the metrics. `0` takes a free one. */
  ADMIN_PORT: integer(0, 65535).default(9464),
  /** Seconds that `serve` goes on after SIGTERM, with `/readyz` at 503, until what sends requests has noticed. */
  SHUTDOWN_DELAY: integer(0, 600).default(0),
  /**
   * Where `signoff start` keeps its databases, development certificate and keys. It must belong to root or to the user
   * who runs this, and nobody else may write there: programs are run out of it.
   */
  DATA_DIR: z.string().default('.signoff'),

  /** Postgres: `postgres://user:password@host:port/database`. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'a postgres:// URL is expected' }).optional(),
  /**
   * Connections to Postgres that one process opens at most, and keeps: all instances together, and the commands of
   * operators, stay below `max_connections` of the server.
   */
  DATABASE_POOL_SIZE: integer(1, 1000).default(20),
  /**
   * Redis, alone, as a cluster, or found by its sentinels: `redis://[user:password@]host:port/database`,
   * `redis+cluster://[user:password@]host:port,host:port` or `redis+sentinel://[user:password@]host:port,host:port/NAME`;
   * over TLS `rediss://`, `rediss+cluster://` or `rediss+sentinel://`. A `%` in a password is written `%25`.
   */
  REDIS_URL: redisUrl.optional(),
  /**
   * Stands before every key in Redis, as `shop:` in `shop:denylist:{00}:synced`, so that several deployments can
   * share one. The same at all instances and commands of a deployment, and at the peers that read Redis.
   */
  REDIS_PREFIX: redisPrefix.default(''),

  /** `off` speaks plain HTTP: only behind a proxy that does the TLS. */
  TLS: onOrOff.default('on'),
  /**
   * Certificate chain and private key, PEM; read again when they change. For the key holds what holds for
   * `SIGNING_KEYS_FILE`.
   */
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),

  /**
   * Private JWKS, `{"keys":[…]}` of EC P-256 keys; read again when it changes. `signoff keys generate` makes one, and
   * `signoff keys rotate` adds the next key, with the time from which it signs. Without times the first one signs, and
   * all verify. It must belong to root or to the user who runs this, and is refused where every user can write it.
   */
  SIGNING_KEYS_FILE: z.string().optional(),
  /** The secret of the refresh tokens: a text of at least 32 bytes, known to nobody else. The rights are the same. */
  REFRESH_KEY_FILE: z.string().optional(),

  /** `iss` of every token: the URL under which this service is reached. `https://localhost:PORT` by default. */
  ISSUER: issuerUrl.optional(),
  /** `aud` of access tokens: what the peers expect. */
  AUDIENCE: z.string().min(1).default('signoff'),
  /** Seconds an access token lives. */
  ACCESS_TOKEN_TTL: integer(1, MAX_ACCESS_TOKEN_SECONDS).default(300),
  /** Seconds a refresh token lives; its session goes on as long as there is one. */
  REFRESH_TOKEN_TTL: integer(1, MAX_SESSION_SECONDS).default(86_400),
  /** Seconds a session lives at most, however often it is refreshed; its tokens end with it. */
  SESSION_MAX_AGE: integer(1, MAX_SESSION_SECONDS).default(2_592_000),
  /**
   * Live sessions that a user may have at once: when one more begins, the oldest ends. A script that logs in for each
   * request would else fill the database, and make a logout of all devices long.
   */
  MAX_SESSIONS_PER_USER: integer(1, 10_000).default(100),
  /** `on` answers every refresh of the token API with a new refresh token too. Cookies and `/api/v1` always rotate. */
  REFRESH_ROTATION: onOrOff.default('off'),
  /** Seconds in which a refresh token that was just rotated gets the very same successor again, as often as it is asked. */
  ROTATION_GRACE: integer(0, 300).default(60),
  /** Seconds by which clocks may differ. */
  LEEWAY: integer(0, 300).default(5),
  /**
   * Seconds after which Redis is no longer believed when nothing keeps it in line with the journal: how late
   * a logout may take effect elsewhere, whatever breaks. The same at all instances.
   */
  DENYLIST_LEASE: integer(3, 60).default(5),
  /** Seconds for which entries in the table `logs` are kept: 90 days. */
  LOG_RETENTION: integer(60, 315_360_000).default(7_776_000),
  /**
   * `HS256` signs access tokens with `SECRET_KEY`, for peers that share a secret and read no JWKS. Each of them can
   * forge tokens for the others; this service takes none but its own. Prefer `ES256`.
   */
  ACCESS_TOKEN_ALG: z.enum(['ES256', 'HS256'], 'ES256 or HS256 is expected').default('ES256'),
  /**
   * The secret shared with such peers, at least 32 bytes; with another login service too: `POST /logout`
   * takes tokens that are signed with it. Refresh tokens never use it.
   */
  SECRET_KEY: z
    .string()
    .refine((text) => Buffer.byteLength(text) >= 32, 'at least 32 bytes are expected')
    .optional(),

  /** A JSON file that names the other issuers whose tokens `POST /logout` takes. The rights are those of a key file. */
  TRUSTED_ISSUERS: z.string().optional(),
  /**
   * Seconds for which the denial of such a token is kept at most: 31 days. A token that lives longer, or for ever, is
   * refused at its logout, since the logout would not hold.
   */
  FOREIGN_TOKEN_MAX_AGE: integer(60, 315_360_000).default(2_678_400),
  /** `open` lets anybody make an account at `/api/v1/auth/register`. */
  REGISTRATION: z.enum(['open', 'closed'], 'open or closed is expected').default('closed'),
  /** The roles that operators may give (`signoff user add --role`, `user set-role`), parted by commas. */
  ROLES: roles.default(['user', 'admin']),

  /**
   * Origins of the pages that may call from a browser (CORS), parted by commas, as browsers send them:
   * `https://app.example.com`, or of another scheme, as `capacitor://localhost`. A first label `*` stands for exactly
   * one label: `https://*.example.com`. Whatever can never match is refused.
   */
  ALLOWED_ORIGINS: originPatterns.default([]),
  /** `SameSite` of the session cookie; only with `none` can pages of other sites (`ALLOWED_ORIGINS`) log in with it. */
  SESSION_COOKIE_SAMESITE: z
    .enum(['lax', 'strict', 'none'], 'lax, strict or none is expected')
    .default('lax'),
  /**
   * `on` lets `/auth/check` take the session cookie where a request has no access token, for pages, images and
   * downloads behind a gateway; only where that says in `X-Forwarded-Method` that the request is GET or HEAD.
   */
  GATEWAY_COOKIE: onOrOff.default('off'),
  /**
   * The proxies whose `X-Forwarded-For` counts, parted by commas: addresses, ranges such as `10.0.0.0/8`, or
   * `loopback`, `linklocal`, `uniquelocal`. Name all of them and nothing else: others could forge addresses.
   */
  TRUST_PROXY: proxies.default([]),

  /**
   * Connections that one address (IPv6: one /64) may have open at each instance; the next one is closed before its TLS
   * handshake, so that nobody takes all 20,000 that an instance has. An office or a mobile network behind one address
   * has some hundreds of idle ones at most. Without a limit are proxies that `TRUST_PROXY` names, and this machine.
   * Raise it where something else brings everybody's connections from its own address: a balancer that passes TCP on,
   * or the NAT of a container network.
   */
  MAX_CONNECTIONS_PER_ADDRESS: integer(1, 20_000).default(1000),

  /** `production` refuses a Redis that may evict denials; anything else complains of it. */
  NODE_ENV: z.string().optional(),

  /** `debug` logs every request, `info` (the default of `serve`) what an operator should know, `warn` what is wrong. */
  LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace']).optional(),
})

const schema = settings.transform(({ ISSUER, ...others }) => ({
  ...others,
  // Peers fetch keys from there: on another port they would ask nobody. A free one is not known yet.
  ISSUER: ISSUER ?? `https://localhost:${others.PORT || DEFAULT_PORT}`,
}))

export type Config = Readonly<z.infer<typeof schema>>

/**
 * Seconds by which denials outlive their tokens: whoever verifies one may be behind by `LEEWAY`, and take it for
 * as long again after it has expired.
 */
export function denialLeewaySeconds({ LEEWAY }: Config): number {
  return 2 * LEEWAY
}

/** The settings that `signoff serve` cannot do without. */
const SERVE_NEEDS = ['DATABASE_URL', 'REDIS_URL', 'SIGNING_KEYS_FILE', 'REFRESH_KEY_FILE'] as const
const TLS_NEEDS = ['TLS_CERT_FILE', 'TLS_KEY_FILE'] as const

/** The names of all settings, and those that name the file of a secret. */
const SETTING_NAMES: readonly string[] = [
  ...Object.keys(settings.shape),
  ...SECRETS.map((name) => `${name}_FILE`),
]

/** With all that production needs. */
export type ServeConfig = Config & Readonly<Record<(typeof SERVE_NEEDS)[number], string>>

/** A sentence for each variable that is nearly a setting. */
export function misspelled(env: NodeJS.ProcessEnv): string[] {
  return misspelledSettings(env, SETTING_NAMES)
}

/** Settings from `env`, an empty value counting as none. Throws `ConfigError`. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  return readSettings(env, [])
}

/** The same, for production: what is missing is told together with what is wrong. Throws `ConfigError`. */
export function readServeConfig(env: NodeJS.ProcessEnv): ServeConfig {
  const needed = env['TLS'] === 'off' ? SERVE_NEEDS : [...SERVE_NEEDS, ...TLS_NEEDS]
  return readSettings(env, needed) as ServeConfig
}

function readSettings(env: NodeJS.ProcessEnv, needed: readonly (keyof Config)[]): Config {
  const { given, problems } = withSecrets(withoutEmpty(env))
  const result = schema.safeParse(given)
  // A file that cannot be read has been told of.
  const isMissing = (name: string): boolean => given[name] === undefined && !given[`${name}_FILE`]
  problems.push(...needed.filter(isMissing).map((name) => `${name}: is needed`))
  for (const { path, message } of result.error?.issues ?? []) problems.push(`${path.join('.')}: ${message}`)

  if (given['ACCESS_TOKEN_ALG'] === 'HS256' && !given['SECRET_KEY']) {
    problems.push('SECRET_KEY: is needed with ACCESS_TOKEN_ALG=HS256')
  }
  const isTlsHalf = Boolean(given['TLS_CERT_FILE']) !== Boolean(given['TLS_KEY_FILE'])
  if (isTlsHalf && !needed.includes('TLS_KEY_FILE')) {
    problems.push('TLS_CERT_FILE and TLS_KEY_FILE: set both or none')
  }
  // What is needed may be there under another name.
  if (!result.success || problems.length > 0) throw new ConfigError([...problems, ...misspelled(env)])
  return Object.freeze(result.data)
}
