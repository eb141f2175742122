// The Denylist port over a real Redis as its conformance suite wants it.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { DenylistSubject } from '../conformance/denylist.ts'
import { redisDenylist, type RedisDenylist } from '../../src/store/redis-denylist.ts'
import { connectRedis } from '../../src/store/redis.ts'
import { testRedis, type TestRedis } from './redis.ts'

export interface RedisDenylistSubject extends DenylistSubject {
  denylist: RedisDenylist
  /** The connection the denylist stands on. */
  connection: Redis
  server: TestRedis
  /** Each change of trust, oldest first. */
  trusted: boolean[]
}

/** On a Redis of its own, marked and trusted, without a relay. */
export async function redisDenylistSubject(): Promise<RedisDenylistSubject> {
  const server = await testRedis()
  const connection = connectRedis(server.url, () => undefined)
  await once(connection, 'ready')
  const trusted: boolean[] = []
  const denylist = redisDenylist(connection, (isTrusted) => {
    trusted.push(isTrusted)
  })
  await (await denylist.beginRebuild(Date.now())).finish()
  denylist.trust(denylist.losses)

  return {
    denylist,
    connection,
    server,
    trusted,
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
      connection.disconnect()
      await server.remove()
    },
  }
}
