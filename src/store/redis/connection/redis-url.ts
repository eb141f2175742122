// Parses REDIS_URL: where Redis is, in which of its shapes, and as whom to go there.
import { isIPv6 } from 'node:net'

export interface RedisAddress {
  host: string
  port: number
}

interface RedisAccess {
  isTls: boolean
  username: string | null
  password: string | null
  /** Of the sentinels where there are any: they tell where Redis is. At least one. */
  addresses: RedisAddress[]
}

export interface StandaloneTarget extends RedisAccess {
  shape: 'standalone'
  database: number
}

export interface ClusterTarget extends RedisAccess {
  shape: 'cluster'
}

export interface SentinelTarget extends RedisAccess {
  shape: 'sentinel'
  /** The name that the sentinels have for the master and its replicas. */
  masterName: string
}

export type RedisTarget = StandaloneTarget | ClusterTarget | SentinelTarget

const REDIS_PORT = 6379
const SENTINEL_PORT = 26379

/** The last `@` ends the credentials, so that a password needs no more encoding than its `%`. */
const REDIS_URL = /^(rediss?)(?:\+(cluster|sentinel))?:\/\/(?:(.*)@)?([^@/?#]+)(?:\/([^@/?#]*))?$/s
const ADDRESS = /^(?:\[(?<ipv6>[^[\]]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/
const MASTER_NAME = /^[\w.-]+$/

const EXPECTED = {
  any:
    'redis://, redis+cluster:// or redis+sentinel:// is expected, or with TLS rediss://, rediss+cluster:// ' +
    'or rediss+sentinel://',
  standalone: 'redis://[user:password@]host:port/database is expected',
  cluster: 'redis+cluster://[user:password@]host:port,host:port is expected',
  sentinel: 'redis+sentinel://[user:password@]host:port,host:port/NAME is expected',
}

/** Throws an error whose message names the form that was expected, and repeats nothing of `text`. */
export function parseRedisUrl(text: string): RedisTarget {
  const shape = /^rediss?(?:\+(cluster|sentinel))?:\/\//.exec(text)
  if (!shape) throw new Error(EXPECTED.any)
  const target = readTarget(text)
  if (!target) throw new Error(EXPECTED[(shape[1] ?? 'standalone') as RedisTarget['shape']])
  return target
}

function readTarget(text: string): RedisTarget | null {
  const [, scheme, shape, userInfo = '', hosts = '', path = ''] = REDIS_URL.exec(text) ?? []
  const credentials = readCredentials(userInfo)
  const addresses = readAddresses(hosts, shape === 'sentinel' ? SENTINEL_PORT : REDIS_PORT)
  if (!credentials || !addresses) return null

  const access = { isTls: scheme === 'rediss', ...credentials, addresses }
  if (shape === 'cluster') return path === '' ? { shape, ...access } : null
  if (shape === 'sentinel') return MASTER_NAME.test(path) ? { shape, ...access, masterName: path } : null
  return standaloneTarget(access, path)
}

function standaloneTarget(access: RedisAccess, path: string): StandaloneTarget | null {
  if (access.addresses.length > 1 || !/^\d{0,5}$/.test(path)) return null
  return { shape: 'standalone', ...access, database: Number(path) }
}

function readCredentials(userInfo: string): Pick<RedisAccess, 'username' | 'password'> | null {
  const [, username = '', password = ''] = /^([^:]*):(.*)$/s.exec(userInfo) ?? []
  // A name without a password is more likely a password in the wrong place.
  if (password === '') return /^:?$/.test(userInfo) ? { username: null, password: null } : null
  try {
    return { username: decodeURIComponent(username) || null, password: decodeURIComponent(password) }
  } catch {
    return null
  }
}

function readAddresses(hosts: string, defaultPort: number): RedisAddress[] | null {
  const addresses: RedisAddress[] = []
  for (const item of hosts.split(',')) {
    const { ipv6, name, port = String(defaultPort) } = ADDRESS.exec(item)?.groups ?? {}
    const host = ipv6 !== undefined && isIPv6(ipv6) ? ipv6 : name
    if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return null
    addresses.push({ host, port: Number(port) })
  }
  return addresses
}
