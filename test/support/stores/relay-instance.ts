// What one instance of the service has of denylist and relay, cut off from Redis or from Postgres at will.
import { randomUUID } from 'node:crypto'
import { v4 as uuidv4 } from 'uuid'
import { AuthError } from '../../../src/auth/errors.ts'
import { sleep, systemClock, type Clock } from '../../../src/clock.ts'
import { PARTITIONS } from '../../../src/contract/denylist-keys.ts'
import { instances, type Instances } from '../../../src/store/postgres/instances.ts'
import { locks, type Locks } from '../../../src/store/postgres/locks.ts'
import { connectedRedis } from '../../../src/store/redis/connection/connected-redis.ts'
import type { RedisConnection } from '../../../src/store/redis/connection/redis-connection.ts'
import { instanceAcks } from '../../../src/store/redis/instance-acks.ts'
import { redisDenylist, type RedisDenylist } from '../../../src/store/redis/redis-denylist.ts'
import { redisWatermarks } from '../../../src/store/redis/watermarks.ts'
import { journalView } from '../../../src/store/relay/journal-view.ts'
import { leaderLock } from '../../../src/store/relay/leader-lock.ts'
import { leadership } from '../../../src/store/relay/leadership.ts'
import { otherDeployment, type OtherDeployment } from '../../../src/store/relay/other-deployment.ts'
import { ownPositions } from '../../../src/store/relay/own-positions.ts'
import { relayTick, type RelayTick, type TickFindings } from '../../../src/store/relay/relay-tick.ts'
import { sweep } from '../../../src/store/relay/sweep.ts'
import { cleanAcks } from '../../../src/store/vouching/clean-acks.ts'
import { requiredUpTo, type RequiredUpTo } from '../../../src/store/vouching/required-up-to.ts'
import { hookedJournal, type JournalHooks } from './hooked-journal.ts'
import { patientRedis } from './patient-redis.ts'
import type { PostgresStoreSubject } from './postgres-store-subject.ts'
import type { TestRedis } from '../servers/redis.ts'
import { RIG_ISSUER, RIG_LEEWAY_SECONDS } from './relaying.ts'

export interface RelayInstance {
  id: string
  connection: RedisConnection
  denylist: RedisDenylist
  required: RequiredUpTo
  otherDeployment: OtherDeployment
  /** The name of its journal, once it has read that. */
  journalName: () => string | null
  relayTick: RelayTick
  /** Ticks once; resolves to whether it led. */
  tick(): Promise<boolean>
  /** What every tick has found, oldest first. */
  found: TickFindings[]
  failures: unknown[]
  postgres: PostgresAsFound
  hooks: JournalHooks
  /** Into the journal and into Redis, if that takes it. */
  logout(sid: string): Promise<void>
  /** As `logout`, but that Redis takes no writes meanwhile. */
  logoutUnwritten(sid: string): Promise<void>
  check(sid: string): Promise<'live' | 'denied' | 'unknown'>
}

/** How this instance, and no other, finds Postgres. */
export interface PostgresAsFound {
  isAway: boolean
  /** By the clock of the instance, for each question. */
  delayMs: number
  /** Questions that wait for that time to pass, and those that Postgres has. */
  delayed: number
  asked: number
}

export interface RelayInstanceDeps {
  redis: TestRedis
  store: PostgresStoreSubject
  leaseMs: number
  issuer?: string
  /** One that stands still keeps the machine's speed out of everything: then locks and presence last, too. */
  clock?: Clock
}

export async function relayInstance(deps: RelayInstanceDeps): Promise<RelayInstance> {
  const { redis, store, leaseMs, issuer = RIG_ISSUER, clock = systemClock } = deps
  const id = randomUUID()
  const connection = await (clock === systemClock ? connectedRedis : patientRedis)(redis.url)
  const hooks: JournalHooks = {}
  const found: TickFindings[] = []
  const failures: unknown[] = []
  const onFailure = (error: unknown): void => void failures.push(error)
  const { postgres, asking } = postgresAsFound(clock)

  const journal = {
    ...hookedJournal(store.journal, hooks),
    clock: asking(async () => await store.journal.clock()),
  }
  const view = journalView({ clock, issuer, leewaySeconds: RIG_LEEWAY_SECONDS, instanceId: id })
  const required = requiredUpTo(clock)
  const journalName = (): string | null => view.journalName
  const denylist = redisDenylist({
    connection,
    clock,
    required,
    // So that a check tells of Redis alone.
    isHeld: () => false,
    believes: view.believesWatermark,
    journalName,
    onWriteFailure: () => undefined,
  })
  const own = ownPositions(connection)
  const watermarks = redisWatermarks({ connection, partitions: PARTITIONS, nonce: id })
  const acks = instanceAcks(connection, id)
  const others = otherDeployment({ clock, connection, own, view })
  const relaying = { clock, instanceId: id, leaseMs, watermarks, own, view, journal, onFailure }
  const tick = relayTick({
    ...relaying,
    partitions: PARTITIONS,
    postgresPatienceMs: 500,
    denylist,
    required,
    acks: cleanAcks({ connection, required, acks }),
    leadership: leadership({
      ...relaying,
      acks,
      otherDeployment: others,
      lock: leaderLock(locksOf(deps, { id, asking }), clock),
      mayRelay: () => true,
      onRound: () => undefined,
      sweep: sweep({ ...relaying, leewaySeconds: 5, onRepaired: () => undefined, onSwept: () => undefined }),
    }),
    otherDeployment: others,
    instances: instancesOf(deps, { id, asking }),
    onTick: (findings) => found.push(findings),
  })

  const logout = async (sid: string): Promise<void> => {
    await store.deny(sid, 3_600_000)
    await denylist.deny([{ id: sid, ttlMs: 3_600_000 }]).catch(() => undefined)
  }
  return {
    id,
    connection,
    denylist,
    required,
    otherDeployment: others,
    journalName,
    relayTick: tick,
    tick: async () => {
      await tick.tick()
      return found.at(-1)?.isLeader ?? false
    },
    found,
    failures,
    postgres,
    hooks,
    logout,
    logoutUnwritten: async (sid) => {
      await redis.client.config('SET', 'maxmemory', '1')
      await logout(sid)
      await redis.client.config('SET', 'maxmemory', '0')
    },
    check: async (sid) => await denylist.check({ sid, jti: uuidv4() }),
  }
}

type Asking = <Args extends unknown[], T>(
  question: (...args: Args) => Promise<T>,
) => (...args: Args) => Promise<T>

function postgresAsFound(clock: Clock): { postgres: PostgresAsFound; asking: Asking } {
  const postgres = { isAway: false, delayMs: 0, delayed: 0, asked: 0 }
  return {
    postgres,
    asking:
      (question) =>
      async (...args) => {
        if (postgres.delayMs > 0) {
          postgres.delayed += 1
          await sleep(clock, postgres.delayMs)
          postgres.delayed -= 1
        }
        if (postgres.isAway) throw new AuthError('unavailable')
        postgres.asked += 1
        try {
          return await question(...args)
        } finally {
          postgres.asked -= 1
        }
      },
  }
}

interface Asked {
  id: string
  asking: Asking
}

function locksOf({ store, clock = systemClock }: RelayInstanceDeps, { id, asking }: Asked): Locks {
  const rows = locks(store.postgres, id)
  const hold: Locks['hold'] = async (name, seconds) =>
    await rows.hold(name, clock === systemClock ? seconds : 3600)
  return {
    hold: asking(hold),
    release: asking(async (name) => {
      await rows.release(name)
    }),
  }
}

function instancesOf({ store, clock = systemClock }: RelayInstanceDeps, { id, asking }: Asked): Instances {
  const rows = instances(store.postgres, { id, name: 'test' })
  const present: Instances['present'] = async () => {
    if (clock !== systemClock) await store.postgres.query(STILL_THERE)
    return await rows.present()
  }
  return {
    present: asking(present),
    leave: asking(async () => {
      await rows.leave()
    }),
  }
}

const STILL_THERE = {
  name: 'test.stillThere',
  text: `UPDATE instances SET seen_at = now()
         WHERE id IN (SELECT id FROM instances WHERE left_at IS NULL ORDER BY id FOR UPDATE)`,
}
