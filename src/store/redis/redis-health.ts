// What Redis says of its own health: whether it may forget what it was told, and how full it is.
import type { Redis } from 'ioredis'
import type { RedisConnection } from './connection/redis-connection.ts'

export interface RedisHealth {
  /** The oldest of all masters'; Valkey tells the Redis it is compatible with. */
  version: string
  /** Whether that is enough: 6.2 brought expiry at a moment, `PXAT`. */
  isSupported: boolean
  maxmemoryPolicy: string
  /** Whether any master drops what has not expired when memory runs out. */
  evicts: boolean
  /** Whether every master keeps what it holds on disk; `null` where it does not tell. */
  isPersistent: boolean | null
  usedBytes: number
  /** 0 without a limit. */
  maxBytes: number
  keys: number
}

const LEAST_VERSION = [6, 2]
const NEVER_EVICTS = 'noeviction'

/** Of all masters together. Rejects when one of them does not answer in time, or none is known. */
export async function readRedisHealth(connection: RedisConnection): Promise<RedisHealth> {
  const healths = await Promise.all(connection.masters().map(healthOf))
  if (healths.length === 0) throw new Error('no master of Redis is known')
  return healths.reduce(worseOf)
}

/** Why a denylist cannot stand on it, as one sentence that says what to do; `null` when it can. */
export function unfitness({ evicts, maxmemoryPolicy, isSupported, version }: RedisHealth): string | null {
  if (!isSupported) return `Redis ${version} is too old: 6.2 or newer is needed`
  if (evicts) {
    return `Redis may evict denials, which undoes logouts: set maxmemory-policy to noeviction (it is ${maxmemoryPolicy})`
  }
  return null
}

async function healthOf(master: Redis): Promise<RedisHealth> {
  const [info, keys, savePoints] = await Promise.all([master.info(), master.dbsize(), savePointsOf(master)])
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
  const version = field('redis_version')
  const maxmemoryPolicy = field('maxmemory_policy')
  return {
    version,
    isSupported: compareVersions(version, LEAST_VERSION.join('.')) >= 0,
    maxmemoryPolicy,
    evicts: maxmemoryPolicy !== NEVER_EVICTS,
    isPersistent: field('aof_enabled') === '1' || (savePoints === null ? null : savePoints !== ''),
    usedBytes: Number(field('used_memory')),
    maxBytes: Number(field('maxmemory')),
    keys,
  }
}

/** Resolves to null where Redis does not let us ask, as managed ones do not. */
async function savePointsOf(master: Redis): Promise<string | null> {
  try {
    const [, savePoints = ''] = await master.config('GET', 'save')
    return savePoints
  } catch (error) {
    if ((error as Error).name === 'ReplyError') return null
    throw error
  }
}

function worseOf(one: RedisHealth, other: RedisHealth): RedisHealth {
  return {
    version: compareVersions(one.version, other.version) <= 0 ? one.version : other.version,
    isSupported: one.isSupported && other.isSupported,
    maxmemoryPolicy: one.evicts ? one.maxmemoryPolicy : other.maxmemoryPolicy,
    evicts: one.evicts || other.evicts,
    isPersistent: allOf(one.isPersistent, other.isPersistent),
    usedBytes: one.usedBytes + other.usedBytes,
    maxBytes: one.maxBytes === 0 || other.maxBytes === 0 ? 0 : one.maxBytes + other.maxBytes,
    keys: one.keys + other.keys,
  }
}

function allOf(one: boolean | null, other: boolean | null): boolean | null {
  if (one === false || other === false) return false
  return one === null || other === null ? null : true
}

function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}
