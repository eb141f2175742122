// A connection to Redis for a command: usable, or an error that says why not.
import type { RedisConnection } from './redis-connection.ts'
import { connectRedis } from './connect-redis.ts'

/** Nobody waits behind a command, so it is patient with a slow machine; a service is not, which has Postgres to ask. */
const TIMEOUT_MS = 10_000

export interface Connecting {
  /** REDIS_PREFIX. */
  prefix?: string
  /** For the connection to be usable, and then for each answer; three seconds of silence end the connection sooner. */
  timeoutMs?: number
}

/** Rejects when it is not usable in time, with what kept it from that last. */
export async function connectedRedis(
  url: string,
  { prefix = '', timeoutMs = TIMEOUT_MS }: Connecting = {},
): Promise<RedisConnection> {
  let reason: unknown = new Error(`no answer within ${timeoutMs} ms`)
  const onError = (error: unknown): void => {
    reason = error
  }
  const connection = connectRedis(url, onError, { prefix, commandTimeoutMs: timeoutMs })
  const isReady = await new Promise<boolean>((resolve) => {
    const timer = setTimeout(resolve, timeoutMs, false)
    connection.onReady(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
  if (isReady) return connection
  connection.close()
  throw reason
}
