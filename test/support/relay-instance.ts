// What one instance of the service has of denylist and relay, cut off from Redis or from Postgres at will.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { v4 as uuidv4 } from 'uuid'
import { AuthError } from '../../src/auth/errors.ts'
import { instanceAcks } from '../../src/store/redis/instance-acks.ts'
import { instances } from '../../src/store/postgres/instances.ts'
import { locks } from '../../src/store/postgres/locks.ts'
import { redisWatermarks } from '../../src/store/redis/watermarks.ts'
import { redisDenylist, type RedisDenylist } from '../../src/store/redis/redis-denylist.ts'
import type { RedisConnection } from '../../src/store/redis/connection/redis-connection.ts'
import { leaderLock } from '../../src/store/relay/leader-lock.ts'
import { relayer } from '../../src/store/relay/relay-round.ts'
import { relayTick, type RelayTick, type TickFindings } from '../../src/store/relay/relay-tick.ts'
import { connectedRedis } from '../../src/store/redis/connection/connected-redis.ts'
import { hookedJournal, type JournalHooks } from './hooked-journal.ts'
import type { PostgresStoreSubject } from './postgres-store-subject.ts'
import type { TestRedis } from './redis.ts'

export interface RelayInstance {
  id: string
  connection: RedisConnection
  denylist: RedisDenylist
  relayTick: RelayTick
  /** Ticks once; resolves to whether it led. */
  tick(): Promise<boolean>
  /** What every tick has found, oldest first. */
  found: TickFindings[]
  failures: unknown[]
  /** How this instance, and no other, finds Postgres. */
  postgres: { isAway: boolean; delayMs: number }
  hooks: JournalHooks
  /** Into the journal and into Redis, if that takes it. */
  logout(sid: string): Promise<void>
  /** As `logout`, but that Redis takes no writes meanwhile. */
  logoutUnwritten(sid: string): Promise<void>
  check(sid: string): Promise<'live' | 'denied' | 'unknown'>
}

export interface RelayInstanceDeps {
  redis: TestRedis
  store: PostgresStoreSubject
  leaseMs: number
}

export async function relayInstance({ redis, store, leaseMs }: RelayInstanceDeps): Promise<RelayInstance> {
  const id = randomUUID()
  const connection = await connectedRedis(redis.url)
  const denylist = redisDenylist({ connection, onWriteFailure: () => undefined })
  const partitions = redisWatermarks(connection)
  const postgres = { isAway: false, delayMs: 0 }
  const hooks: JournalHooks = {}
  const found: TickFindings[] = []
  const failures: unknown[] = []

  const asking = async <T>(question: () => Promise<T>): Promise<T> => {
    if (postgres.delayMs > 0) await sleep(postgres.delayMs)
    if (postgres.isAway) throw new AuthError('unavailable')
    return await question()
  }
  const [journal, lock, present] = [
    hookedJournal(store.journal, hooks),
    locks(store.postgres, id),
    instances(store.postgres, { id, name: 'test' }),
  ]
  const reachedJournal = { ...journal, clock: async () => await asking(async () => await journal.clock()) }
  const rounds = relayer({
    connection,
    partitions,
    journal: reachedJournal,
    leaseMs,
    onRound: () => undefined,
    onFailure: (error) => failures.push(error),
  })
  const tick = relayTick({
    mayRelay: () => true,
    denylist,
    partitions,
    clean: instanceAcks(connection, id),
    relayer: rounds,
    journal: reachedJournal,
    lock: leaderLock({
      hold: async (name, seconds) => await asking(async () => await lock.hold(name, seconds)),
      release: async (name) => {
        await asking(async () => {
          await lock.release(name)
        })
      },
    }),
    instances: {
      present: async () => await asking(async () => await present.present()),
      leave: async () => {
        await asking(async () => {
          await present.leave()
        })
      },
    },
    onTick: (findings) => found.push(findings),
    onFailure: (error) => failures.push(error),
  })

  const logout = async (sid: string): Promise<void> => {
    await store.deny(sid, 60_000)
    await denylist.deny([{ id: sid, ttlMs: 60_000 }]).catch(() => undefined)
  }
  return {
    id,
    connection,
    denylist,
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
