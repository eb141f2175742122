// Connects to Redis in the shape its URL names.
import { Redis } from 'ioredis'
import { connectCluster } from './redis-cluster.ts'
import {
  accessOptions,
  COMMAND_TIMEOUT_MS,
  connectionOfOne,
  masterOptions,
  reconnectDelays,
  type ConnectOptions,
  type RedisConnection,
} from './redis-connection.ts'
import { connectSentinel } from './redis-sentinel.ts'
import { parseRedisUrl, type StandaloneTarget } from './redis-url.ts'

/**
 * In the background, for as long as it takes. `onError` hears of every failed attempt; `prefix` stands before
 * every key. Throws at once for a URL that `parseRedisUrl` refuses.
 */
export function connectRedis(
  url: string,
  onError: (error: unknown) => void,
  { prefix = '', commandTimeoutMs = COMMAND_TIMEOUT_MS }: Partial<Omit<ConnectOptions, 'onError'>> = {},
): RedisConnection {
  const target = parseRedisUrl(url)
  const options = { onError, prefix, commandTimeoutMs }
  switch (target.shape) {
    case 'standalone':
      return connectStandalone(target, options)
    case 'cluster':
      return connectCluster(target, options)
    case 'sentinel':
      return connectSentinel(target, options)
  }
}

function connectStandalone(target: StandaloneTarget, options: ConnectOptions): RedisConnection {
  const delays = reconnectDelays()
  const client = new Redis({
    ...target.addresses[0],
    ...accessOptions(target),
    ...masterOptions(options, delays),
    db: target.database,
  })
  client.on('error', options.onError)
  client.on('ready', delays.noteReady)
  return connectionOfOne(client)
}
