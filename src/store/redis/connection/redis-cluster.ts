// The connection to a Redis Cluster: one to each master, and a map of who serves which keys, asked for every second.
import { EventEmitter } from 'node:events'
import { Cluster, type Redis } from 'ioredis'
import {
  accessOptions,
  BOUNDS,
  COMMAND_TIMEOUT_MS,
  reconnectDelayMs,
  type ConnectOptions,
  type RedisConnection,
  type RedisEvents,
} from './redis-connection.ts'
import { ioredisCommands } from './ioredis-commands.ts'
import type { ClusterTarget } from './redis-url.ts'

/** Of asking who serves what; each time on a connection of its own. */
const MAP_INTERVAL_MS = 1000
/** The same, when an answer has told that the map is out of date. */
const LEAST_MAP_INTERVAL_MS = 100

/** Connects in the background. `onError` hears of every failed attempt to reach a node. */
export function connectCluster(target: ClusterTarget, options: ConnectOptions): RedisConnection {
  const { onError } = options
  const client = openCluster(target, options)
  client.on('error', onError)
  client.on('node error', onError)
  joinScripts(client)
  failAtOnce(client, refresh)

  let refreshedAt = 0
  function refresh(): void {
    if (client.status !== 'ready' || performance.now() - refreshedAt < LEAST_MAP_INTERVAL_MS) return
    refreshedAt = performance.now()
    client.refreshSlotsCache()
  }
  // The library's own interval outlives its connection when that is closed during a round.
  const timer = setInterval(refresh, MAP_INTERVAL_MS)

  const events: RedisEvents = new EventEmitter()
  const map = slotMap(client)
  const masters = (): Redis[] => client.nodes('master')
  function isReady(): boolean {
    const ready = masters().filter(({ status }) => status === 'ready')
    const addresses = new Set(ready.map(({ options }) => `${options.host}:${options.port}`))
    return client.status === 'ready' && map.masters().every((address) => addresses.has(address))
  }

  let isTold = false
  function tellReady(): void {
    if (isTold || !isReady()) return
    isTold = true
    events.emit('ready')
  }
  function tellLoss(): void {
    isTold = false
    events.emit('loss')
  }

  client.on('+node', (node: Redis) => {
    let wasReady = false
    node.on('ready', () => {
      wasReady = true
      tellReady()
    })
    node.on('close', () => {
      // Of one that is no longer in the pool, the new map has told.
      if (wasReady && masters().includes(node)) tellLoss()
      wasReady = false
    })
  })

  /** A node is connected by its first command otherwise, and those that come meanwhile fail. */
  function connectMasters(): void {
    // Before it is ready, the library asks a node that must not be on the way.
    if (client.status !== 'ready') return
    for (const node of masters()) if (node.status === 'wait') node.connect().catch(() => undefined)
  }

  client.on('refresh', () => {
    // Only now: a command of before would wait for the first map, however long that takes.
    client.options.enableAutoPipelining = true
    if (map.hasMoved()) tellLoss()
    connectMasters()
    tellReady()
  })
  client.on('ready', () => {
    connectMasters()
    tellReady()
  })

  return {
    client,
    commands: ioredisCommands(client),
    spansPartitions: false,
    prefix: options.prefix,
    get isReady() {
      return isReady()
    },
    onReady: (listener) => void events.on('ready', listener),
    onLoss: (listener) => void events.on('loss', listener),
    masters,
    close: () => {
      clearInterval(timer)
      events.removeAllListeners()
      client.disconnect()
    },
  }
}

function openCluster(target: ClusterTarget, { prefix, commandTimeoutMs }: ConnectOptions): Cluster {
  return new Cluster(target.addresses, {
    keyPrefix: prefix,
    redisOptions: { ...accessOptions(target), ...BOUNDS, commandTimeout: commandTimeoutMs },
    enableOfflineQueue: false,
    autoPipeliningIgnoredCommands: [],
    slotsRefreshTimeout: 2 * COMMAND_TIMEOUT_MS,
    clusterRetryStrategy: reconnectDelayMs,
    // Names stay names, for TLS to check.
    dnsLookup: (name, callback) => {
      callback(null, name)
    },
  })
}

/**
 * Neither follows redirections nor tries again. A redirection is the news of another master, and must be heard
 * before that one's answers are believed: it fails the command, and brings the new map forward.
 */
function failAtOnce(client: Cluster, refresh: () => void): void {
  client.handleError = (error, _redirections, { defaults }: { defaults: () => void }) => {
    if (/^(MOVED|ASK) /.test(error.message)) refresh()
    defaults()
  }
}

/**
 * Keeps scripts that name their number of keys out of auto-pipelining, which would take that number for the key,
 * and send them, and all that was to go with them, to the wrong node.
 */
function joinScripts(client: Cluster): void {
  client.defineCommand = (name, definition) => {
    if (definition.numberOfKeys === undefined) client.options.autoPipeliningIgnoredCommands?.push(name)
    Cluster.prototype.defineCommand.call(client, name, definition)
  }
}

interface SlotMap {
  /** Of each slot that is served, once, as `host:port`. */
  masters(): string[]
  /** Whether any slot has got another master since this was asked last; the first map is no change. */
  hasMoved(): boolean
}

function slotMap(client: Cluster): SlotMap {
  let masters: (string | undefined)[] = []
  return {
    masters: () => [...new Set(masters)].filter((address) => address !== undefined),
    hasMoved: () => {
      const before = masters
      masters = Array.from(client.slots, (nodes: string[] | undefined) => nodes?.[0])
      return before.some((master, slot) => master !== undefined && master !== masters[slot])
    },
  }
}
