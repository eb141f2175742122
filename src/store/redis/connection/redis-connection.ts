// What a connection to Redis is to the rest, in whichever shape Redis comes; and the bounds each of them keeps.
import { EventEmitter } from 'node:events'
import type { Cluster, Redis, RedisOptions } from 'ioredis'
import type { RedisTarget } from './redis-url.ts'

export interface RedisConnection {
  /**
   * Every command answers or fails within its timeout; behind others that hang, within two of them. Nothing
   * waits while Redis is away, nothing is sent twice, and no redirection is followed.
   */
  readonly client: Redis | Cluster
  /** Whether every master can be asked. */
  readonly isReady: boolean
  /** Told each time that this becomes true. */
  onReady(listener: () => void): void
  /**
   * Told each time that what was written last may be gone: the connection to a master ended, or a part of the
   * keys has another master. Told before anything is asked of that other one.
   */
  onLoss(listener: () => void): void
  /** One connection for each master that is known. */
  masters(): Redis[]
  /** Nothing is told from here on. */
  close(): void
}

export type RedisEvents = EventEmitter<{ ready: []; loss: [] }>

/** For one command, and for whoever says goodbye to a server that hangs. */
export const COMMAND_TIMEOUT_MS = 250

/** Of every single connection. */
export const BOUNDS = {
  connectTimeout: 1000,
  commandTimeout: COMMAND_TIMEOUT_MS,
  disconnectTimeout: COMMAND_TIMEOUT_MS,
  // The relay asks every second, so three seconds of silence are a dead connection.
  socketTimeout: 3000,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectionName: 'signoff',
} satisfies RedisOptions

/** Before the attempt of this number, the first being 1. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** attempt, 1000)
}

/** Certificates are checked against the system's authorities and NODE_EXTRA_CA_CERTS, and for the host asked for. */
export function accessOptions({
  username,
  password,
  isTls,
}: Pick<RedisTarget, 'username' | 'password' | 'isTls'>): Pick<
  RedisOptions,
  'username' | 'password' | 'tls'
> {
  return {
    ...(username !== null && { username }),
    ...(password !== null && { password }),
    ...(isTls && { tls: {} }),
  }
}

/** For a Redis that has one master. */
export function connectionOfOne(client: Redis, onClose?: () => void): RedisConnection {
  const events: RedisEvents = new EventEmitter()
  let wasReady = false
  client.on('ready', () => {
    wasReady = true
    events.emit('ready')
  })
  // Also told of attempts that failed.
  client.on('close', () => {
    if (wasReady) events.emit('loss')
    wasReady = false
  })

  return {
    client,
    get isReady() {
      return client.status === 'ready'
    },
    onReady: (listener) => void events.on('ready', listener),
    onLoss: (listener) => void events.on('loss', listener),
    masters: () => [client],
    close: () => {
      events.removeAllListeners()
      onClose?.()
      client.disconnect()
    },
  }
}
