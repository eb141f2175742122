// Reads of Redis's own health: whether it may forget what it was told, and how full it is.
import type { Redis } from 'ioredis'
import type { RedisConnection } from './connection/redis-connection.ts'
import { redisFailure, redisFailureDetail } from './redis-failure.ts'

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

export interface RedisFitness {
  /** Of all masters together; `null` where one refuses to tell. */
  health: RedisHealth | null
  /** Why a denylist cannot stand on it, as one sentence that says what to do; `null` when it can. */
  unfit: string | null
}

/**
 * A refusal to be looked at is an answer: unfit. Rejects when one of the masters does not answer in time, or none is
 * known, unless another one is unfit.
 */
export async function readRedisFitness(connection: Pick<RedisConnection, 'masters'>): Promise<RedisFitness> {
  const looks = await Promise.allSettled(connection.masters().map(healthOf))
  if (looks.length === 0) throw new Error('no master of Redis is known')
  const failures = looks.flatMap((look) => (look.status === 'rejected' ? [look.reason as unknown] : []))
  const healths = looks.flatMap((look) => (look.status === 'fulfilled' ? [look.value] : []))

  const refusal = failures.map(refusalOf).find((sentence) => sentence !== null)
  const unfit = healths.map(unfitness).find((sentence) => sentence !== null) ?? refusal ?? null
  if (unfit === null && failures.length > 0) throw failures[0]
  return { health: failures.length === 0 ? healths.reduce(worseOf) : null, unfit }
}

/** Why one master cannot be looked at; `null` where it has not answered. */
function refusalOf(error: unknown): string | null {
  const { kind, sentence } = redisFailure(error)
  if (kind === 'no-permission') {
    return `the Redis user may not run INFO, so nobody can see whether Redis evicts denials: grant it +info (${redisFailureDetail(error)})`
  }
  return kind === 'refused' ? `nobody can see whether Redis evicts denials: ${sentence}` : null
}

/** Why a denylist cannot stand on it; `null` when it can. */
function unfitness({ evicts, maxmemoryPolicy, isSupported, version }: RedisHealth): string | null {
  if (!isSupported) return `Redis ${version} is too old: 6.2 or newer is needed`
  if (evicts) {
    return `Redis may evict denials, which undoes logouts: set maxmemory-policy to noeviction (it is ${maxmemoryPolicy})`
  }
  return null
}

async function healthOf(master: Redis): Promise<RedisHealth> {
  const [info, savePoints] = await Promise.all([master.info(), savePointsOf(master)])
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
    keys: Number(/^keys=(\d+)/.exec(field(`db${master.options.db ?? 0}`))?.[1] ?? 0),
  }
}

/** Resolves to null where Redis does not let us ask, as managed ones do not. */
async function savePointsOf(master: Redis): Promise<string | null> {
  try {
    const [, savePoints = ''] = await master.config('GET', 'save')
    return savePoints
  } catch (error) {
    if (redisFailure(error).kind === 'no-answer') throw error
    return null
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
