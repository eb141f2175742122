// The connection to the master that Redis Sentinel names; it moves when the master does.
import { Redis } from 'ioredis'
import {
  accessOptions,
  BOUNDS,
  COMMAND_TIMEOUT_MS,
  connectionOfOne,
  masterOptions,
  reconnectDelayMs,
  reconnectDelays,
  type ConnectOptions,
  type RedisConnection,
} from './redis-connection.ts'
import type { SentinelTarget } from './redis-url.ts'

/** Connects in the background. `options.onError` hears of every failed attempt to reach the master. */
export function connectSentinel(target: SentinelTarget, options: ConnectOptions): RedisConnection {
  const { addresses, masterName, password, isTls } = target
  const delays = reconnectDelays()
  const client = new Redis({
    ...accessOptions(target),
    ...masterOptions(options, delays),
    sentinels: addresses,
    name: masterName,
    // Sentinels without a password of their own take any; a username would have to be known to them.
    ...(password !== null && { sentinelPassword: password }),
    ...(isTls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
    sentinelRetryStrategy: reconnectDelayMs,
  })
  client.on('error', options.onError)
  client.on('ready', delays.noteReady)

  const stopWatching = watchSentinels(target, () => {
    // A client that is still on the way asks the sentinels anyway; ended now, it would not set out again.
    if (client.status === 'ready' || client.status === 'connect') client.disconnect(true)
  })
  return connectionOfOne(client, stopWatching)
}

/**
 * `onSwitch` hears of a new master as soon as one sentinel knows: the old one may hang, or not know yet, and its
 * connection stay open. (The library's own watch prints to the console whenever a sentinel is away.)
 */
function watchSentinels(target: SentinelTarget, onSwitch: () => void): () => void {
  const { addresses, masterName, password, isTls } = target
  const watches = addresses.map((address) => {
    const watch = new Redis({
      ...address,
      ...accessOptions({ username: null, password, isTls }),
      ...BOUNDS,
      enableReadyCheck: false,
      autoResubscribe: false,
      retryStrategy: reconnectDelayMs,
    })
    // A sentinel that is away is one of several.
    watch.on('error', () => undefined)
    watch.on('ready', () => {
      watch.subscribe('+switch-master').catch(() => {
        watch.disconnect(true)
      })
    })
    watch.on('message', (_channel: string, message: string) => {
      if (message.split(' ')[0] === masterName) onSwitch()
    })
    return watch
  })
  return () => {
    for (const watch of watches) watch.disconnect()
  }
}
