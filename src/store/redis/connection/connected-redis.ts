// A connection to Redis for a command: usable, or an error that says why not.
import type { RedisConnection } from './redis-connection.ts'
import { connectRedis } from './connect-redis.ts'

const TIMEOUT_MS = 3000

/** Rejects when it is not usable within three seconds, with what kept it from that last. */
export async function connectedRedis(url: string, prefix = ''): Promise<RedisConnection> {
  let reason: unknown = new Error(`no answer within ${TIMEOUT_MS} ms`)
  const onError = (error: unknown): void => {
    reason = error
  }
  const connection = connectRedis(url, onError, { prefix })
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, TIMEOUT_MS, false)
    connection.onReady(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
  if (isReady) return connection
  connection.close()
  throw reason
}
