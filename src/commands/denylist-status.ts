// The status of the denylist, as lines for a person and as a document for programs.
import { PARTITIONS } from '../contract/denylist-keys.ts'
import type { JournalSide, RedisSide } from '../store/relay/denylist-status.ts'
import { unfitness } from '../store/redis/redis-health.ts'
import { describeError } from './describe-error.ts'

/** What was found; else why not. */
export type Settled<T> = { found: T; problem: null } | { found: null; problem: string }

export async function settled<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { found: await work(), problem: null }
  } catch (error) {
    return { found: null, problem: describeError(error) }
  }
}

export interface DenylistStatus {
  redis: Settled<RedisSide>
  journal: Settled<JournalSide>
}

/** Whether both answer and every partition has its watermark. */
export function isInLine({ redis, journal }: DenylistStatus): boolean {
  return journal.found !== null && redis.found !== null && inSync(redis.found) === PARTITIONS.length
}

export function statusLines(status: DenylistStatus): string[] {
  const { redis, journal } = status
  const { partitions, watermark_age_ms: age, lag_denials: lag } = statusDocument(status)
  const rows: [string, string][] = [
    ['journal', journal.found ? denials(journal.found.liveDenials) : `cannot be read: ${journal.problem}`],
    ['Redis', redis.found ? contents(redis.found) : `cannot be read: ${redis.problem}`],
    ['fit', redis.found ? (unfitness(redis.found.health) ?? 'yes') : UNKNOWN],
    ['in sync', partitions ? `${partitions.in_sync} of ${partitions.total} partitions` : UNKNOWN],
    ['watermarks', age ? `${seconds(age.newest)} old; the oldest ${seconds(age.oldest)}` : UNKNOWN],
    ['lag', lag === null ? UNKNOWN : `${denials(lag)} journaled since the oldest watermark`],
    ['leader', journal.found ? (journal.found.leader ?? 'none') : UNKNOWN],
    ['instances', journal.found ? names(journal.found) : UNKNOWN],
  ]
  return rows.map(([name, text]) => `${name.padEnd(12)}${text}`)
}

const UNKNOWN = 'unknown'

/** Every key is always there; `null` where it cannot be told. */
export function statusDocument(status: DenylistStatus) {
  const { found: redis, problem: redisProblem } = status.redis
  const { found: journal, problem: journalProblem } = status.journal
  return {
    in_sync: isInLine(status),
    live_denials: journal?.liveDenials ?? null,
    redis: redis && {
      keys: redis.health.keys,
      used_bytes: redis.health.usedBytes,
      max_bytes: redis.health.maxBytes,
      maxmemory_policy: redis.health.maxmemoryPolicy,
      is_persistent: redis.health.isPersistent,
    },
    partitions: redis && { total: PARTITIONS.length, in_sync: inSync(redis) },
    watermark_age_ms: redis && journal && watermarkAge(redis, journal),
    lag_denials: redis && journal && journal.newDenials,
    leader: journal?.leader ?? null,
    instances: journal && journal.instances.map(({ name, seenMsAgo }) => ({ name, seen_ms_ago: seenMsAgo })),
    problems: { redis: redisProblem, postgres: journalProblem },
  }
}

/** `null` where a partition was never brought up to anything. */
function watermarkAge({ states }: RedisSide, { nowMs }: JournalSide) {
  const times = states.map(({ relayedUpTo }) => relayedUpTo)
  if (times.length < PARTITIONS.length || times.includes(0)) return null
  return { newest: Math.round(nowMs - Math.max(...times)), oldest: Math.round(nowMs - Math.min(...times)) }
}

function denials(count: number): string {
  return `${grouped(count)} live ${count === 1 ? 'denial' : 'denials'}`
}

function contents({ health }: RedisSide): string {
  const { keys, usedBytes, maxBytes, maxmemoryPolicy, isPersistent } = health
  const limit = maxBytes === 0 ? '' : ` of ${mebibytes(maxBytes)}`
  const said = [`${grouped(keys)} keys`, `${mebibytes(usedBytes)}${limit} MiB`, maxmemoryPolicy]
  if (isPersistent === false) said.push('keeps nothing on disk')
  return said.join(', ')
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

function inSync({ states }: RedisSide): number {
  return states.filter(({ isSynced }) => isSynced).length
}

function names({ instances }: JournalSide): string {
  if (instances.length === 0) return 'none was heard of in the last 10 s'
  return `${instances.length}, heard of in the last 10 s: ${instances.map(({ name }) => name).join(', ')}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function grouped(count: number): string {
  return count.toLocaleString('en')
}
