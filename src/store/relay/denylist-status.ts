// What can be said of the denylist at one moment: what the journal has, what Redis has, who keeps it in line.
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { Watermarks, PartitionState } from '../redis/watermarks.ts'
import type { Postgres, Statement } from '../postgres/postgres.ts'
import type { RedisConnection } from '../redis/connection/redis-connection.ts'
import { readRedisHealth, type RedisHealth } from '../redis/redis-health.ts'

export interface RedisSide {
  health: RedisHealth
  states: PartitionState[]
}

export interface JournalSide {
  nowMs: JournalTime
  liveDenials: number
  /** Live denials journaled at or after the time that was asked about. */
  newDenials: number
  /** `host:pid` of the instance that relays; `null` when there is none. */
  leader: string | null
  /** All that were heard of in the last ten seconds, by name. */
  instances: SeenInstance[]
}

export interface SeenInstance {
  /** `host:pid` */
  name: string
  seenMsAgo: number
}

/** Rejects with the driver's error. */
export async function readRedisSide(
  connection: RedisConnection,
  partitions: Pick<Watermarks, 'read'>,
): Promise<RedisSide> {
  const [states, health] = await Promise.all([partitions.read(), readRedisHealth(connection)])
  return { states, health }
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
  text: `SELECT name, (extract(epoch FROM now() - seen_at) * 1000)::float8 AS "seenMsAgo"
         FROM instances WHERE seen_at > now() - interval '10 seconds' ORDER BY name`,
}

/** `since`: what `newDenials` counts from. Rejects with `unavailable` or `failed`. */
export async function readJournalSide(postgres: Postgres, since: JournalTime): Promise<JournalSide> {
  const [counts, leader, instances] = await Promise.all([
    postgres.query<Pick<JournalSide, 'nowMs' | 'liveDenials' | 'newDenials'>>(COUNTS, [since]),
    readLeader(postgres),
    postgres.query<SeenInstance>(INSTANCES),
  ])
  const [counted = { nowMs: 0, liveDenials: 0, newDenials: 0 }] = counts
  return { ...counted, leader, instances }
}

/** `host:pid` of the instance that relays, `null` when there is none. Rejects with `unavailable` or `failed`. */
export async function readLeader(postgres: Postgres): Promise<string | null> {
  const [leader] = await postgres.query<{ name: string }>(LEADER)
  return leader?.name ?? null
}
