// A connection to Redis that waits for every answer, so that a busy machine changes nothing.
import { once } from 'node:events'
import { Redis } from 'ioredis'
import {
  BOUNDS,
  connectionOfOne,
  type RedisConnection,
} from '../../../src/store/redis/connection/redis-connection.ts'
import { PATIENCE_MS } from '../service/environment.ts'

/** As the service connects to a single Redis, but for the time it waits. */
export async function patientRedis(url: string): Promise<RedisConnection> {
  const client = new Redis(url, {
    ...BOUNDS,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    socketTimeout: PATIENCE_MS,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
  })
  client.on('error', () => undefined)
  const connection = connectionOfOne(client)
  await once(client, 'ready')
  return connection
}
