// The Denylist port over a real Redis as its conformance suite wants it.
import { setTimeout as sleep } from 'node:timers/promises'
import { PARTITIONS } from '../../src/contract/denylist-keys.ts'
import { redisWatermarks } from '../../src/store/redis/watermarks.ts'
import { redisDenylist, type RedisDenylist } from '../../src/store/redis/redis-denylist.ts'
import type { RedisConnection } from '../../src/store/redis/connection/redis-connection.ts'
import type { DenylistSubject } from '../conformance/denylist.ts'
import { connectedRedis } from '../../src/store/redis/connection/connected-redis.ts'
import { testRedis, type TestRedis } from './redis.ts'

export interface RedisDenylistSubject extends DenylistSubject {
  denylist: RedisDenylist
  /** The connection the denylist stands on. */
  connection: RedisConnection
  server: TestRedis
  /** Why denials could not be written, oldest first. */
  writeFailures: unknown[]
  /** Sets every watermark to that time, as a relay does, for a minute. */
  sync(upToMs: number): Promise<void>
}

/** On a Redis of its own, without a relay, with watermarks that are later than what it requires. */
export async function redisDenylistSubject(): Promise<RedisDenylistSubject> {
  const server = await testRedis()
  const connection = await connectedRedis(server.url)
  const writeFailures: unknown[] = []
  const denylist = redisDenylist({ connection, onWriteFailure: (error) => writeFailures.push(error) })
  const partitions = redisWatermarks({ client: server.client })

  const sync = async (upToMs: number): Promise<void> => {
    for (const { partition, position, redisNowMs } of await partitions.read()) {
      const syncedUntilMs = redisNowMs + 60_000
      await partitions.step({ partition, from: position, relayedUpTo: Math.floor(upToMs), syncedUntilMs })
    }
  }
  const startedAtMs = Date.now()
  denylist.noteClock(startedAtMs, performance.now())
  denylist.ask([...PARTITIONS])
  denylist.setKnownUntil(Infinity)
  await sync(startedAtMs + 1)

  return {
    denylist,
    connection,
    server,
    writeFailures,
    sync,
    pass: async (ms) => {
      await sleep(ms)
    },
    empty: async () => {
      await server.client.flushall()
    },
    cutOff: async () => {
      await server.signal('SIGKILL')
    },
    close: async () => {
      connection.close()
      await server.remove()
    },
  }
}
