// A simulated Redis in one of its three shapes: who serves which keys, and what becomes of them when that changes.
import type { Random } from '../../fault/random.ts'
import type { VirtualTime } from '../virtual-time.ts'
import { redisData } from './redis-data.ts'
import { redisServer, type RedisServer } from './redis-server.ts'

export type RedisShape = 'standalone' | 'sentinel' | 'cluster'

export interface SimulatedRedis {
  readonly shape: RedisShape
  readonly shards: readonly Shard[]
  shardOf: (key: string) => Shard
  /** Told when a shard has got another master, or its master has ended all connections. */
  onChange: (listener: (change: ShardChange) => void) => () => void
}

export interface ShardChange {
  shard: Shard
  /** The server whose connections end, without a word to the other side if it hangs. */
  server: RedisServer
  kind: 'ended' | 'promoted'
}

export interface Shard {
  readonly number: number
  /** By how much the clock of a new master was behind that of the one before, at the most. */
  readonly clockSetBackMs: number
  readonly master: RedisServer
  /** `kill -9`, and nobody takes its place. */
  kill: () => void
  /** After a kill: with what its file or a late copy has, or with nothing. */
  restart: (holding: 'file' | 'nothing') => void
  /** The replica takes the place of the master, with what has reached it; `isSilent`: the old one keeps its connections. */
  failOver: (isSilent: boolean) => void
  flush: () => void
}

/** Partitions are few: each shard has every second one. */
const SHARDS: Record<RedisShape, number> = { standalone: 1, sentinel: 1, cluster: 2 }

const LEARNS_WITHIN_MS = 500

export interface SimulatedRedisOptions {
  time: VirtualTime
  random: Random
  shape: RedisShape
  /** By how much the clocks of its servers are apart, at the most. */
  clocksApartMs: number
}

export function simulatedRedis({
  time,
  random,
  shape,
  clocksApartMs,
}: SimulatedRedisOptions): SimulatedRedis {
  let listeners: ((change: ShardChange) => void)[] = []
  let servers = 0
  const shards = Array.from({ length: SHARDS[shape] }, (_, number) => shardOf(number))

  return {
    shape,
    shards,
    shardOf: (key) => {
      const partition = /\{([0-9a-f]{2})\}/.exec(key)?.[1] ?? '00'
      return shards[Number.parseInt(partition, 16) % shards.length] as Shard
    },
    onChange: (listener) => {
      listeners.push(listener)
      return () => {
        listeners = listeners.filter((other) => other !== listener)
      }
    },
  }

  function tell(change: ShardChange): void {
    for (const listener of listeners) listener(change)
  }

  function newServer(number: number): RedisServer {
    servers += 1
    const lagMs = shape === 'standalone' ? random.between(10, 1000) : random.between(1, 30)
    const server = redisServer(`redis ${number}.${servers}`, time, lagMs)
    server.aheadMs = random.between(-clocksApartMs, clocksApartMs)
    return server
  }

  function shardOf(number: number): Shard {
    let master = newServer(number)
    let clockSetBackMs = 0
    const shard: Shard = {
      number,
      get clockSetBackMs() {
        return clockSetBackMs
      },
      get master() {
        return master
      },
      kill: () => {
        master.down()
        tell({ shard, server: master, kind: 'ended' })
      },
      restart: (holding) => {
        master.load(holding === 'nothing' ? redisData() : master.follower.data())
        master.up()
      },
      failOver: (isSilent) => {
        const before = master
        const next = newServer(number)
        next.load(before.follower.data())
        next.writeRefusal = null
        clockSetBackMs = Math.max(clockSetBackMs, before.aheadMs - next.aheadMs)
        master = next
        // It hears of that a moment later, and takes writes until then that nobody will ever see again.
        time.at(time.nowMs + random.between(0, LEARNS_WITHIN_MS), () => {
          before.writeRefusal = "READONLY You can't write against a read only replica."
          if (shape === 'cluster') before.refusal = `MOVED 0 ${next.name}`
        })
        if (!isSilent) tell({ shard, server: before, kind: 'ended' })
        tell({ shard, server: before, kind: 'promoted' })
      },
      flush: () => {
        master.load(redisData())
      },
    }
    return shard
  }
}
