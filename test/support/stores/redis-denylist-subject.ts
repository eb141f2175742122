// The Denylist port over a real Redis as its conformance suite wants it.
import { PARTITIONS } from '../../../src/contract/denylist-keys.ts'
import type { RedisConnection } from '../../../src/store/redis/connection/redis-connection.ts'
import { redisDenylist, type RedisDenylist } from '../../../src/store/redis/redis-denylist.ts'
import { redisWatermarks } from '../../../src/store/redis/watermarks.ts'
import { requiredUpTo, type RequiredUpTo } from '../../../src/store/vouching/required-up-to.ts'
import type { DenylistSubject } from '../../conformance/denylist.ts'
import { eventually } from '../service/environment.ts'
import { fakeClock, type FakeClock } from '../fakes/fake-clock.ts'
import { patientRedis } from './patient-redis.ts'
import { testRedis, type TestRedis } from '../servers/redis.ts'

export interface RedisDenylistSubject extends DenylistSubject {
  denylist: RedisDenylist
  required: RequiredUpTo
  /** Of the instance; Redis has its own. */
  clock: FakeClock
  /** The connection the denylist stands on. */
  connection: RedisConnection
  server: TestRedis
  /** Ids that this instance has acknowledged or heard of. */
  held: Set<string>
  /** The instances whose watermarks are believed. */
  believed: Set<string>
  /** Why denials could not be written, oldest first. */
  writeFailures: unknown[]
  /** Another one on the same Redis, which knows as little as one that has just started. */
  fresh(required: RequiredUpTo): RedisDenylist
  /** Sets every watermark to that time, as a relay does, for an hour. */
  sync(upToMs: number): Promise<void>
}

export interface RedisDenylistSubjectOptions {
  /** How the denylist reaches Redis. Without it, it waits for every answer. */
  connect?: (url: string) => Promise<RedisConnection>
}

export const SUBJECT_JOURNAL = '0123456789abcdef'
export const SUBJECT_RELAY = 'relay'
const STARTED_AT_MS = 1_800_000_000_000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** On a Redis of its own, without a relay, with watermarks that are later than what it requires. */
export async function redisDenylistSubject({
  connect = patientRedis,
}: RedisDenylistSubjectOptions = {}): Promise<RedisDenylistSubject> {
  const server = await testRedis()
  const connection = await connect(server.url)
  const outside = await patientRedis(server.url)
  const clock = fakeClock()
  const writeFailures: unknown[] = []
  const [held, believed] = [new Set<string>(), new Set([SUBJECT_RELAY])]
  const watermarks = redisWatermarks({ connection: outside, partitions: PARTITIONS, nonce: 'test' })

  const fresh = (required: RequiredUpTo): RedisDenylist => {
    const denylist = redisDenylist({
      connection,
      clock,
      required,
      isHeld: (id) => held.has(id),
      believes: ({ journalName, instanceId }) => journalName === SUBJECT_JOURNAL && believed.has(instanceId),
      journalName: () => SUBJECT_JOURNAL,
      onWriteFailure: (error) => writeFailures.push(error),
    })
    denylist.ask(PARTITIONS)
    denylist.setRegisteredUntil(Infinity)
    return denylist
  }
  const sync = async (upToMs: number): Promise<void> => {
    // It may have to connect anew after a test has killed the server.
    await eventually(async () => await Promise.resolve(outside.isReady), MINUTE_MS)
    const names = { journalName: SUBJECT_JOURNAL, serverEpoch: '1-1', instanceId: SUBJECT_RELAY }
    const to = { ...names, relayedUpTo: Math.floor(upToMs), redisOffsetMs: 0, isByAcks: false }
    const states = await watermarks.read()
    await watermarks.step(
      states.map(({ partition, positionText, redisNowMs }) => ({
        partition,
        from: positionText,
        to,
        watermarkUntilMs: redisNowMs + HOUR_MS,
      })),
    )
  }
  const required = requiredUpTo(clock)
  const denylist = fresh(required)
  required.noteClock(STARTED_AT_MS, clock.steadyMs())
  await sync(STARTED_AT_MS + 1)

  return {
    denylist,
    required,
    clock,
    connection,
    server,
    held,
    believed,
    writeFailures,
    fresh,
    sync,
    // What is left of every key becomes that much less.
    pass: async (ms) => {
      for (const key of await server.client.keys('*')) {
        const leftMs = await server.client.pttl(key)
        if (leftMs > 0) await server.client.pexpire(key, leftMs - ms)
      }
    },
    empty: async () => {
      await server.client.flushall()
    },
    cutOff: async () => {
      await server.signal('SIGKILL')
    },
    close: async () => {
      for (const one of [connection, outside]) one.close()
      await server.remove()
    },
  }
}
