// Which Redis a run is made with.
import { clusterRedis } from './cluster-redis.ts'
import type { RedisKind } from './options.ts'
import type { RedisWorld } from './redis-world.ts'
import { sentinelRedis } from './sentinel-redis.ts'
import { standaloneRedis } from './standalone-redis.ts'

const WORLDS: Record<RedisKind, () => Promise<RedisWorld>> = {
  standalone: standaloneRedis,
  cluster: clusterRedis,
  sentinel: sentinelRedis,
}

export function redisOf(kind: RedisKind): () => Promise<RedisWorld> {
  return WORLDS[kind]
}
