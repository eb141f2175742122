// A connection to Redis as the rest sees it, in whichever shape Redis comes; and the bounds each of them keeps.
import { EventEmitter } from 'node:events'
import type { Cluster, Redis, RedisOptions } from 'ioredis'
import type { RedisCommands } from '../redis-commands.ts'
import { isReadOnly } from '../redis-failure.ts'
import { ioredisCommands } from './ioredis-commands.ts'
import { leaveReplicas } from './leave-replicas.ts'
import type { RedisTarget } from './redis-url.ts'

export interface RedisConnection {
  /**
   * Every command answers or fails within its timeout; behind others that hang, within two of them. Nothing
   * waits while Redis is away, nothing is sent twice, and no redirection is followed. The answer that Redis is
   * read-only ends the connection, and the next one is made.
   */
  readonly client: Redis | Cluster
  /** The commands that the denylist asks, over `client`. */
  readonly commands: RedisCommands
  /** Whether one script may touch all partitions at once; else each call has its keys in one of them. */
  readonly spansPartitions: boolean
  /** Stands before every key that `client` and `commands` name, and in what SCAN answers. */
  readonly prefix: string
  /** Whether every master can be asked. */
  readonly isReady: boolean
  /** Told each time that this becomes true. */
  onReady(listener: () => void): void
  /**
   * Told each time that what was written last may be gone: the connection to a master ended, or that master has
   * become a replica, or a part of the keys has another one. Told before anything is asked of that other one.
   */
  onLoss(listener: () => void): void
  /** One connection for each master that is known. */
  masters(): Redis[]
  /** Nothing is told from here on. */
  close(): void
}

/** The denylist needs this of a connection; a simulated one has no more. */
export type DenylistConnection = Pick<
  RedisConnection,
  'commands' | 'spansPartitions' | 'isReady' | 'onReady' | 'onLoss'
>

export interface ConnectOptions {
  /** Hears of every failed attempt. */
  onError: (error: unknown) => void
  prefix: string
  /** For one command; that of a connection whose commands wait is longer. */
  commandTimeoutMs: number
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
  // A proxy or a virtual address leads to the new master, but only who connects anew.
  reconnectOnError: isReadOnly,
  maxRetriesPerRequest: 0,
  connectionName: 'signoff',
  // Older servers do not know CLIENT SETINFO, nor a user that may run it.
  disableClientInfo: true,
} satisfies RedisOptions

/** Before the attempt of this number, the first being 1. */
export function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** attempt, 1000)
}

/** After a connection that did not last, such as one to a replica. */
const SHORT_LIVED_MS = 1000
const SHORT_LIVED_DELAY_MS = 500

/** How long one client waits before each attempt. */
export interface ReconnectDelays {
  /** For `retryStrategy`. */
  delayMs: (attempt: number) => number
  noteReady: () => void
}

export function reconnectDelays(): ReconnectDelays {
  let readyAt = -Infinity
  return {
    delayMs: (attempt) =>
      performance.now() - readyAt < SHORT_LIVED_MS ? SHORT_LIVED_DELAY_MS : reconnectDelayMs(attempt),
    noteReady: () => {
      readyAt = performance.now()
    },
  }
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

/** Of a client that speaks with one master: nothing waits for a connection, which is made again and again. */
export function masterOptions(
  { prefix, commandTimeoutMs }: Omit<ConnectOptions, 'onError'>,
  delays: ReconnectDelays,
) {
  return {
    ...BOUNDS,
    commandTimeout: commandTimeoutMs,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    keyPrefix: prefix,
    retryStrategy: delays.delayMs,
  } satisfies RedisOptions
}

/** For a Redis that has one master. */
export function connectionOfOne(client: Redis, onClose?: () => void): RedisConnection {
  const events: RedisEvents = new EventEmitter()
  const stopLooking = leaveReplicas(client)
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
    commands: ioredisCommands(client),
    spansPartitions: true,
    prefix: client.options.keyPrefix ?? '',
    get isReady() {
      return client.status === 'ready'
    },
    onReady: (listener) => void events.on('ready', listener),
    onLoss: (listener) => void events.on('loss', listener),
    masters: () => [client],
    close: () => {
      events.removeAllListeners()
      stopLooking()
      onClose?.()
      client.disconnect()
    },
  }
}
