// How many connections may be open at a time: from one network, from one site, and altogether.
import type { Server, Socket } from 'node:net'
import proxyAddr from 'proxy-addr'
import { networkOf, siteOf } from '../../auth/guessing/client-network.ts'
import { systemClock, type Clock } from '../../clock.ts'
import type { SystemLog } from '../../ops/log.ts'
import type { Metrics } from '../../ops/metrics.ts'

export interface ConnectionLimits {
  /** Of one IPv4 address, or one IPv6 /64. */
  maxPerAddress: number
  /** Proxies that bring the connections of others: they have no limit of their own. */
  trustProxy: readonly string[]
  metrics: Pick<Metrics, 'connectionRefused'>
}

export interface LimitConnectionsDeps extends ConnectionLimits {
  log: Pick<SystemLog, 'warn'>
  clock?: Clock
}

/** A connection with TLS that has answered takes some 25 KiB (measured over 2,000), so that all of them take 500 MiB. */
const MAX_CONNECTIONS = 20_000
/** A site can have 65,536 networks (each an IPv6 /64), so that a limit for each of them alone would be none. */
const NETWORKS_OF_SITE = 4
const TELL_EVERY_MS = 60_000

/**
 * From now on a connection beyond a limit is closed when it is accepted, before a byte of it is read: without a TLS
 * handshake, which is what costs. The ones that are open already are left alone. Connections from this machine have no
 * limit but the total one: they come from proxies and probes, and processes here have better means to do harm.
 */
export function limitConnections(server: Server, deps: LimitConnectionsDeps): void {
  const { maxPerAddress, metrics, log, clock = systemClock } = deps
  const isTrusted = proxyAddr.compile(['loopback', ...deps.trustProxy])
  const networks = openConnections(maxPerAddress)
  const sites = openConnections(maxPerAddress * NETWORKS_OF_SITE)
  let toldAtMs = -Infinity

  server.maxConnections = MAX_CONNECTIONS
  server.on('drop', (dropped) => {
    refused('total', dropped?.remoteAddress)
  })
  // In front of what begins the handshake, which does not ask whether the connection is closed by then.
  const listeners = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (isAdmitted(socket)) for (const listener of listeners) Reflect.apply(listener, server, [socket])
    else close(socket)
  })

  function isAdmitted(socket: Socket): boolean {
    const { remoteAddress } = socket
    // It is gone already.
    if (remoteAddress === undefined) return false
    if (isTrusted(remoteAddress, 0)) return true
    const places = [
      { taken: networks, name: networkOf(remoteAddress) },
      { taken: sites, name: siteOf(remoteAddress) },
    ]
    if (places.some(({ taken, name }) => taken.isFull(name))) {
      refused('address', remoteAddress)
      return false
    }
    for (const { taken, name } of places) taken.add(name)
    socket.once('close', () => {
      for (const { taken, name } of places) taken.remove(name)
    })
    return true
  }

  function refused(limit: 'address' | 'total', address: string | undefined): void {
    metrics.connectionRefused(limit)
    const now = clock.steadyMs()
    if (now - toldAtMs < TELL_EVERY_MS) return
    toldAtMs = now
    const max = limit === 'address' ? maxPerAddress : MAX_CONNECTIONS
    log.warn({ address, limit, max }, `${REASONS[limit]}; others may follow, and are told once a minute`)
  }
}

/** A reset leaves nothing behind, where an orderly end would keep the connection in the system for a minute. */
function close(socket: Socket): void {
  socket.on('error', () => undefined)
  socket.resetAndDestroy()
}

const REASONS = {
  address:
    'a connection was closed at once, since its network has as many open as MAX_CONNECTIONS_PER_ADDRESS allows',
  total: 'a connection was closed at once, since as many are open as this process takes',
}

interface OpenConnections {
  isFull(name: string): boolean
  add(name: string): void
  remove(name: string): void
}

/** Knows of those only that have a connection open, so that the total bounds it. */
function openConnections(max: number): OpenConnections {
  const counts = new Map<string, number>()
  const countOf = (name: string): number => counts.get(name) ?? 0
  return {
    isFull: (name) => countOf(name) >= max,
    add: (name) => {
      counts.set(name, countOf(name) + 1)
    },
    remove: (name) => {
      const left = countOf(name) - 1
      if (left > 0) counts.set(name, left)
      else counts.delete(name)
    },
  }
}
