// The status of the denylist, as lines for a person and as a document for programs.
import { PARTITIONS } from '../contract/denylist-keys.ts'
import type { JournalSide, RedisSide } from '../store/relay/denylist-status.ts'
import { OTHER_DEPLOYMENT } from '../store/relay/other-deployment.ts'
import { journalNameOf } from '../store/redis/proof.ts'
import { describeError } from './describe-error.ts'

/** The findings; else why there are none. */
export type Settled<T> = { found: T; problem: null } | { found: null; problem: string }

export async function settled<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { found: await work(), problem: null }
  } catch (error) {
    return { found: null, problem: describeError(error) }
  }
}

export interface DenylistStatus {
  /** The setting: watermarks name it. */
  issuer: string
  redis: Settled<RedisSide>
  journal: Settled<JournalSide>
}

/** Whether both answer and every partition has a watermark of this journal. */
export function isInLine(status: DenylistStatus): boolean {
  return inSync(status) === PARTITIONS.length && !status.redis.found?.hasOtherDeployment
}

export function statusLines(status: DenylistStatus): string[] {
  const rows = [...storeRows(status), ...relayRows(status)]
  return rows.map(([name, text]) => `${name.padEnd(12)}${text}`)
}

type Row = [name: string, text: string]

function storeRows({ redis, journal }: DenylistStatus): Row[] {
  return [
    ['journal', journal.found ? denials(journal.found.liveDenials) : `cannot be read: ${journal.problem}`],
    ...(journal.found?.unfit ? [['Postgres', journal.found.unfit] satisfies Row] : []),
    ['Redis', redis.found ? contents(redis.found) : `cannot be read: ${redis.problem}`],
    ['fit', redis.found ? (redis.found.unfit ?? 'yes') : UNKNOWN],
  ]
}

function relayRows(status: DenylistStatus): Row[] {
  const [redis, journal] = [status.redis.found, status.journal.found]
  const { partitions, watermark_age_ms: age, lag_denials: lag } = statusDocument(status)
  return [
    ['in sync', partitions ? `${partitions.in_sync} of ${partitions.total} partitions` : UNKNOWN],
    ['watermarks', age ? `${seconds(age.newest)} old; the oldest ${seconds(age.oldest)}` : UNKNOWN],
    ['lag', lag === null ? UNKNOWN : `${denials(lag)} journaled since the oldest watermark`],
    ['sweep', redis ? lastSweep(redis, journal) : UNKNOWN],
    ['leader', journal ? (journal.leader ?? 'none') : UNKNOWN],
    ['instances', journal ? names(journal) : UNKNOWN],
    ...(redis?.hasOtherDeployment ? [['deployment', OTHER_DEPLOYMENT] satisfies Row] : []),
  ]
}

const UNKNOWN = 'unknown'

/** Every key is always there; `null` where it cannot be told. */
export function statusDocument(status: DenylistStatus) {
  const { found: redis, problem: redisProblem } = status.redis
  const { found: journal, problem: journalProblem } = status.journal
  const both = redis && journal && { redis, journal }
  return {
    in_sync: isInLine(status),
    ...journalDocument(journal),
    redis: redis && redisDocument(redis),
    partitions: both && { total: PARTITIONS.length, in_sync: inSync(status) },
    watermark_age_ms: both && watermarkAge(both.redis, both.journal),
    lag_denials: both && both.journal.newDenials,
    sweep: redis && sweepDocument(redis, journal),
    has_other_deployment: redis && redis.hasOtherDeployment,
    problems: { redis: redisProblem, postgres: journalProblem },
  }
}

function journalDocument(journal: JournalSide | null) {
  const instances = journal?.instances.map(({ name, seenMsAgo }) => ({ name, seen_ms_ago: seenMsAgo }))
  return {
    live_denials: journal?.liveDenials ?? null,
    postgres_problem: journal?.unfit ?? null,
    leader: journal?.leader ?? null,
    instances: instances ?? null,
  }
}

function sweepDocument({ swept }: RedisSide, journal: JournalSide | null) {
  if (!swept) return null
  const { endedAtMs, ...found } = swept
  return { ended_ms_ago: journal && Math.round(journal.nowMs - endedAtMs), ...found }
}

function redisDocument({ health, unfit }: RedisSide) {
  return {
    keys: health?.keys ?? null,
    used_bytes: health?.usedBytes ?? null,
    max_bytes: health?.maxBytes ?? null,
    maxmemory_policy: health?.maxmemoryPolicy ?? null,
    is_persistent: health?.isPersistent ?? null,
    unfit,
  }
}

/** `null` where a partition was never brought up to anything. */
function watermarkAge({ states }: RedisSide, { nowMs }: JournalSide) {
  const times = states.map(({ position }) => position?.relayedUpTo ?? 0)
  if (times.length < PARTITIONS.length || times.includes(0)) return null
  return { newest: Math.round(nowMs - Math.max(...times)), oldest: Math.round(nowMs - Math.min(...times)) }
}

function denials(count: number): string {
  return `${grouped(count)} live ${count === 1 ? 'denial' : 'denials'}`
}

function contents({ health }: RedisSide): string {
  if (!health) return 'answers'
  const { keys, usedBytes, maxBytes, maxmemoryPolicy, isPersistent } = health
  const limit = maxBytes === 0 ? '' : ` of ${mebibytes(maxBytes)}`
  const said = [`${grouped(keys)} keys`, `${mebibytes(usedBytes)}${limit} MiB`, maxmemoryPolicy]
  if (isPersistent === false) said.push('keeps nothing on disk')
  return said.join(', ')
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

/** The partitions with a watermark of this journal, set by an instance that its database lists; 0 where that is unknown. */
function inSync({ issuer, redis, journal }: DenylistStatus): number {
  const { found } = journal
  if (!found || !redis.found) return 0
  const journalName = journalNameOf(found.databaseId, issuer)
  const listed = new Set(found.instances.map(({ id }) => id))
  return redis.found.states.filter(
    ({ watermark }) => watermark?.journalName === journalName && listed.has(watermark.instanceId),
  ).length
}

/** When the last sweep ended, and what it found. */
function lastSweep({ swept }: RedisSide, journal: JournalSide | null): string {
  if (!swept) return 'none has ended within a day'
  const { checked, repaired, unchecked } = swept
  const ago = journal ? `${seconds(journal.nowMs - swept.endedAtMs)} ago` : 'ended'
  const left = unchecked > 0 ? `, ${grouped(unchecked)} could not be looked for` : ''
  return `${ago}: looked for ${denials(checked)} in ${swept.seconds.toFixed(1)} s, ${grouped(repaired)} were missing${left}`
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
