// The connection to Redis: it answers within its timeout or fails; nothing queues while it is away.
import { Redis } from 'ioredis'

/** For one command; behind others that hang, a request waits for two of them at the most. */
const COMMAND_TIMEOUT_MS = 250

/** `onError` hears of every failed attempt. */
export function connectRedis(url: string, onError: (error: unknown) => void): Redis {
  const redis = new Redis(url, {
    connectTimeout: 1000,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // The relay asks every second, so three seconds of silence are a dead connection.
    socketTimeout: 3000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 1000),
    connectionName: 'signoff',
  })
  redis.on('error', onError)
  return redis
}
