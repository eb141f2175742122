// Connects to Redis in the shape its URL names.
import { Redis } from 'ioredis'
import { connectCluster } from './redis-cluster.ts'
import {
  accessOptions,
  BOUNDS,
  connectionOfOne,
  reconnectDelayMs,
  type RedisConnection,
} from './redis-connection.ts'
import { connectSentinel } from './redis-sentinel.ts'
import { parseRedisUrl, type StandaloneTarget } from './redis-url.ts'

/**
 * In the background, for as long as it takes. `onError` hears of every failed attempt. Throws at once for a URL
 * that `parseRedisUrl` refuses.
 */
export function connectRedis(url: string, onError: (error: unknown) => void): RedisConnection {
  const target = parseRedisUrl(url)
  switch (target.shape) {
    case 'standalone':
      return connectStandalone(target, onError)
    case 'cluster':
      return connectCluster(target, onError)
    case 'sentinel':
      return connectSentinel(target, onError)
  }
}

function connectStandalone(target: StandaloneTarget, onError: (error: unknown) => void): RedisConnection {
  const client = new Redis({
    ...target.addresses[0],
    ...accessOptions(target),
    ...BOUNDS,
    db: target.database,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    retryStrategy: reconnectDelayMs,
  })
  client.on('error', onError)
  return connectionOfOne(client)
}
