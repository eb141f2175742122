// Gathers what can be said of the denylist at one moment: what the journal has, what Redis has, who keeps it in line.
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { Watermarks, PartitionState } from '../redis/watermarks.ts'
import type { Postgres, Statement } from '../postgres/postgres.ts'
import type { RedisConnection } from '../redis/connection/redis-connection.ts'
import { OTHER_DEPLOYMENT_KEY } from './other-deployment.ts'
import type { Swept } from './sweep.ts'
import { readSwept } from './swept-note.ts'
import { journalReader } from '../postgres/journal-reader.ts'
import { readRedisFitness, type RedisFitness } from '../redis/redis-health.ts'

export interface RedisSide extends RedisFitness {
  states: PartitionState[]
  /** The findings of the last sweep; `null` where none has ended within a day. */
  swept: Swept | null
  /** Whether a service has told lately that another deployment writes to this Redis. */
  hasOtherDeployment: boolean
}

export interface JournalSide {
  nowMs: JournalTime
  /** Of the database. */
  databaseId: string
  /** Why a logout that was committed may be lost, as one sentence that says what to do; `null` when nothing is wrong. */
  unfit: string | null
  liveDenials: number
  /** Live denials journaled at or after the time that was asked about. */
  newDenials: number
  /** `host:pid` of the instance that relays; `null` when there is none. */
  leader: string | null
  /** All that were heard of in the last ten seconds, by name. */
  instances: SeenInstance[]
}

export interface SeenInstance {
  id: string
  /** `host:pid` */
  name: string
  seenMsAgo: number
}

/** Rejects with the driver's error. */
export async function readRedisSide(
  connection: RedisConnection,
  watermarks: Pick<Watermarks, 'read'>,
): Promise<RedisSide> {
  const [states, fitness, swept, [noted]] = await Promise.all([
    watermarks.read(),
    readRedisFitness(connection),
    readSwept(connection),
    connection.commands.mget([OTHER_DEPLOYMENT_KEY]),
  ])
  return { states, ...fitness, swept, hasOtherDeployment: noted !== null }
}

const COUNTS: Statement = {
  name: 'denylist.counts',
  text: `SELECT (extract(epoch FROM now()) * 1000)::float8 AS "nowMs", count(*)::float8 AS "liveDenials",
                (count(*) FILTER (WHERE created_at >= to_timestamp($1::float8 / 1000)))::float8 AS "newDenials"
         FROM revocations WHERE expires_at > now()`,
}

const LEADER: Statement = {
  name: 'denylist.leader',
  text: `SELECT coalesce(instances.name, 'a process that is not an instance') AS name
         FROM locks LEFT JOIN instances ON instances.id = locks.holder
         WHERE locks.name = 'relay' AND locks.holder IS NOT NULL AND locks.expires_at > now()`,
}

const INSTANCES: Statement = {
  name: 'denylist.instances',
  text: `SELECT id, name, (extract(epoch FROM now() - seen_at) * 1000)::float8 AS "seenMsAgo"
         FROM instances WHERE left_at IS NULL AND seen_at > now() - interval '10 seconds' ORDER BY name`,
}

/** `since`: what `newDenials` counts from. Rejects with `unavailable` or `failed`. */
export async function readJournalSide(postgres: Postgres, since: JournalTime): Promise<JournalSide> {
  const [{ databaseId, unfit }, counts, leader, instances] = await Promise.all([
    journalReader(postgres).clock(),
    postgres.query<Pick<JournalSide, 'nowMs' | 'liveDenials' | 'newDenials'>>(COUNTS, [since]),
    readLeader(postgres),
    postgres.query<SeenInstance>(INSTANCES),
  ])
  const [counted = { nowMs: 0, liveDenials: 0, newDenials: 0 }] = counts
  return { ...counted, databaseId, unfit, leader, instances }
}

/** `host:pid` of the instance that relays, `null` when there is none. Rejects with `unavailable` or `failed`. */
export async function readLeader(postgres: Postgres): Promise<string | null> {
  const [leader] = await postgres.query<{ name: string }>(LEADER)
  return leader?.name ?? null
}
