// The connection of a simulated process to a simulated Redis: bounded in time, told of losses, as the real one is.
import type { DenylistConnection } from '../../../src/store/redis/connection/redis-connection.ts'
import type { Route } from '../network.ts'
import type { SimulatedHost } from '../simulated-host.ts'
import type { VirtualTime } from '../virtual-time.ts'
import type { RedisAnswer, RedisCommand, RedisServer } from './redis-server.ts'
import type { Shard, SimulatedRedis } from './simulated-redis.ts'

export interface ConnectionDeps {
  time: VirtualTime
  host: SimulatedHost
  redis: SimulatedRedis
  /** Between the host and each shard, by the shard's number. */
  routes: readonly Route[]
  commandTimeoutMs: number
}

const CONNECT_TIMEOUT_MS = 1000
/** Of silence, while something is waited for. */
const SOCKET_TIMEOUT_MS = 3000
/** A cluster's map is asked for once a second. */
const MAP_INTERVAL_MS = 1000
/** A sentinel tells of a new master. */
const SWITCH_TOLD_MS = 100

interface LinkToShard {
  shard: Shard
  route: Route
  /** `null` while it is not connected. */
  server: RedisServer | null
  attempts: number
  /** Of the connection: answers of one that has ended are not heard. */
  number: number
  /** When something was last heard, or nothing was waited for. */
  heardAt: number
  waiting: number
  /** What to tell those who wait, when it ends. */
  pending: Set<(error: Error) => void>
}

export interface SimulatedConnection extends DenylistConnection {
  close: () => void
}

export function simulatedConnection(deps: ConnectionDeps): SimulatedConnection {
  const { time, host, redis, routes, commandTimeoutMs } = deps
  const { clock } = host
  const onReady: (() => void)[] = []
  const onLoss: (() => void)[] = []
  let isClosed = false
  let isTold = false
  const links = redis.shards.map((shard, index): LinkToShard => {
    const route = routes[index]
    if (!route) throw new Error('a shard without a route')
    return { shard, route, server: null, attempts: 0, number: 0, heardAt: 0, waiting: 0, pending: new Set() }
  })
  const stopHearing = redis.onChange(({ shard, server, kind }) => {
    const link = links.find((candidate) => candidate.shard === shard)
    if (!link || isClosed || !host.isAlive) return
    if (kind === 'ended') ended(link, server)
    else if (redis.shape === 'sentinel') told(link, server, SWITCH_TOLD_MS)
  })
  for (const link of links) connect(link)
  if (redis.shape === 'cluster') askForMap()

  return {
    commands: {
      mget: async (keys) => (await send({ kind: 'mget', keys }, keys)) as (string | null)[],
      set: async (key, value, ttlMs) => {
        await send({ kind: 'set', key, value: String(value), ttlMs }, [key])
      },
      run: async (call) => await send({ kind: 'run', call }, call.keys),
      readStream: async (key, read) => (await send({ kind: 'read-stream', key, read }, [key])) as never,
    },
    spansPartitions: redis.shape !== 'cluster',
    get isReady() {
      return isReady()
    },
    onReady: (listener) => void onReady.push(listener),
    onLoss: (listener) => void onLoss.push(listener),
    close: () => {
      isClosed = true
      stopHearing()
      onReady.length = 0
      onLoss.length = 0
    },
  }

  function isReady(): boolean {
    return links.every(({ server }) => server !== null)
  }

  async function send(command: RedisCommand, keys: readonly string[]): Promise<unknown> {
    const shard = redis.shardOf(keys[0] ?? '')
    const link = links.find((candidate) => candidate.shard === shard) as LinkToShard
    for (const key of keys)
      if (redis.shape === 'cluster' && redis.shardOf(key) !== shard)
        throw new Error("CROSSSLOT Keys in request don't hash to the same slot")
    const { server } = link
    if (!server || isClosed) throw new Error("Stream isn't writeable and enableOfflineQueue options is false")
    return await new Promise((resolve, reject) => {
      ask(link, server, { command, resolve, reject })
    })
  }

  function ask(
    link: LinkToShard,
    server: RedisServer,
    {
      command,
      resolve,
      reject,
    }: { command: RedisCommand; resolve: (value: unknown) => void; reject: (e: Error) => void },
  ): void {
    const { number } = link
    const steady = clock.steadyMs()
    if (link.waiting === 0) link.heardAt = steady
    link.waiting += 1
    let isOver = false
    const cancel = clock.after(commandTimeoutMs, () => {
      over(new Error('Command timed out'))
      if (link.number === number && clock.steadyMs() - link.heardAt > SOCKET_TIMEOUT_MS) lose(link)
    })
    const over = (error: Error | null, value?: unknown): void => {
      if (isOver) return
      isOver = true
      cancel()
      link.pending.delete(over)
      if (error) reject(error)
      else resolve(value)
    }
    link.pending.add(over)

    const arrivesAt = link.route.there.arrivalMs()
    if (arrivesAt === null) return
    time.at(arrivesAt, () => {
      server.ask(command, (answer) => {
        const heardAt = link.route.back.arrivalMs()
        if (heardAt === null) return
        time.at(heardAt, () => {
          host.deliver(() => {
            hear(link, { number, answer, over })
          })
        })
      })
    })
  }

  function hear(
    link: LinkToShard,
    {
      number,
      answer,
      over,
    }: { number: number; answer: RedisAnswer; over: (e: Error | null, v?: unknown) => void },
  ): void {
    if (link.number !== number || isClosed) return
    link.heardAt = clock.steadyMs()
    link.waiting -= 1
    if ('value' in answer) {
      over(null, answer.value)
      return
    }
    over(answer.error)
    // A node that is no longer the one to ask; of a cluster the new map is asked for at once.
    if (answer.error.message.startsWith('READONLY ')) lose(link)
    if (answer.error.message.startsWith('MOVED ')) refreshMap()
  }

  /** The connection ends: what was on its way is not heard of. */
  function lose(link: LinkToShard): void {
    if (link.server === null || isClosed) return
    link.server = null
    link.number += 1
    link.waiting = 0
    isTold = false
    for (const listener of [...onLoss]) listener()
    for (const fail of [...link.pending]) fail(new Error('Connection is closed.'))
    connectLater(link)
  }

  function connectLater(link: LinkToShard): void {
    link.attempts += 1
    clock.after(Math.min(50 * 2 ** link.attempts, 1000), () => {
      connect(link)
    })
  }

  function connect(link: LinkToShard): void {
    if (isClosed || link.server !== null) return
    const { number } = link
    const server = link.shard.master
    let isOver = false
    const fail = (): void => {
      if (isOver || link.number !== number) return
      isOver = true
      connectLater(link)
    }
    const cancel = clock.after(CONNECT_TIMEOUT_MS, fail)
    const there = link.route.there.arrivalMs()
    if (there === null) return
    time.at(there, () => {
      const isAnswering = server.isUp
      // One that hangs takes connections, and answers nothing.
      if (isAnswering && server.isHung) return
      const back = link.route.back.arrivalMs()
      if (back === null) return
      time.at(back, () => {
        host.deliver(() => {
          if (isOver || link.number !== number || isClosed) return
          cancel()
          // It may have ended meanwhile.
          if (!isAnswering || !isUp(server)) {
            fail()
            return
          }
          isOver = true
          link.server = server
          link.attempts = 0
          link.waiting = 0
          tellReady()
        })
      })
    })
  }

  function tellReady(): void {
    if (isTold || !isReady()) return
    isTold = true
    for (const listener of [...onReady]) listener()
  }

  /** The other side has ended it: that is heard of as fast as the network allows, or never. */
  function ended(link: LinkToShard, server: RedisServer): void {
    const arrivesAt = link.route.back.arrivalMs()
    if (arrivesAt === null || link.server !== server) return
    time.at(arrivesAt, () => {
      host.deliver(() => {
        if (link.server === server) lose(link)
      })
    })
  }

  function told(link: LinkToShard, server: RedisServer, afterMs: number): void {
    time.at(time.nowMs + afterMs, () => {
      host.deliver(() => {
        if (link.server === server) lose(link)
      })
    })
  }

  function askForMap(): void {
    clock.after(MAP_INTERVAL_MS, () => {
      if (isClosed) return
      refreshMap()
      askForMap()
    })
  }

  function refreshMap(): void {
    for (const link of links) {
      if (link.server === null || link.server === link.shard.master) continue
      lose(link)
    }
  }
}

function isUp(server: RedisServer): boolean {
  return server.isUp
}
