// Instances of the service that tick when a test says so, on one journal and one Redis, by a clock that stands still.
import { setTimeout as sleep } from 'node:timers/promises'
import { ackKey } from '../../../src/store/redis/instance-acks.ts'
import { fakeClock, type FakeClock } from '../fakes/fake-clock.ts'
import type { PostgresStoreSubject } from './postgres-store-subject.ts'
import { relayInstance, type RelayInstance } from './relay-instance.ts'
import { RIG_LEASE_MS, relayRig, type RelayRig } from './relay-rig.ts'

export interface RelayTicks {
  rig: RelayRig
  clock: FakeClock
  /** In the order in which they were started. */
  started: RelayInstance[]
  /** `store`: of another deployment. */
  start(store?: PostgresStoreSubject): Promise<RelayInstance>
  everybodyTicks(): Promise<void>
  /** As often as needed for everybody to believe Redis; the first of them leads. */
  settle(): Promise<void>
  /** Ticks, and lets the time pass that the instance waits for Postgres. */
  tickSlowly(instance: RelayInstance): Promise<void>
  /** The lock is free by then, as after three seconds without its holder. */
  outlastLock(): Promise<void>
  /** Makes the watermarks so short that it can be told whether they are kept. */
  shorten(): Promise<void>
  isKept(): Promise<boolean>
  /** Makes every watermark fall. */
  fall(): Promise<void>
  /** Up to when, by Redis's clock, the instance says that all is in there; `null` when it says nothing. */
  wordOf(instance: RelayInstance): Promise<number | null>
  /** To an empty Redis and database, without instances. */
  reset(): Promise<void>
}

const SHORT_MS = 600_000

export async function relayTicks(): Promise<RelayTicks> {
  const rig = await relayRig()
  const { client } = rig.redis
  let clock = fakeClock()
  const started: RelayInstance[] = []

  return {
    rig,
    get clock() {
      return clock
    },
    started,
    start: async (store = rig.store) => {
      const instance = await relayInstance({ redis: rig.redis, store, leaseMs: RIG_LEASE_MS, clock })
      started.push(instance)
      return instance
    },
    everybodyTicks: async () => {
      await Promise.all(started.map(async (instance) => await instance.tick()))
    },
    settle: async () => {
      for (let i = 0; i < 3; i += 1) for (const instance of started) await instance.tick()
    },
    tickSlowly: async (instance) => {
      const ticking = instance.tick().then(() => true)
      while (!(await Promise.race([ticking, sleep(1, false)]))) await passOn(clock, instance)
    },
    outlastLock: async () => {
      await rig.store.database.sql('UPDATE locks SET expires_at = now()')
    },
    shorten: async () => {
      await rig.shorten(SHORT_MS)
    },
    isKept: async () => (await rig.syncedMsLeft()) > SHORT_MS,
    fall: async () => {
      await client.del(await client.keys('denylist:{*}:synced'))
    },
    wordOf: async ({ id }) => {
      const word = await client.get(ackKey(id))
      return word === null ? null : Number(word)
    },
    reset: async () => {
      for (const { connection } of started.splice(0)) connection.close()
      clock = fakeClock()
      await rig.reset()
      await rig.store.database.sql('TRUNCATE locks, instances')
    },
  }
}

/** Time passes where nothing else is waited for. */
async function passOn(clock: FakeClock, { postgres }: RelayInstance): Promise<void> {
  const nextMs = clock.nextMs()
  if (postgres.delayed > 0 && postgres.asked === 0 && nextMs !== null) await clock.advance(nextMs)
}
