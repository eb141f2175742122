// A denylist by asking Redis about each token: one MGET, over whatever client the peer has.
import { denialKey, partitionOf, watermarkKey } from '../contract/denylist-keys.ts'
import { askedSource } from './asked-source.ts'
import { untilAnswered } from './background.ts'
import type { DenylistSource } from './denylist.ts'
import { redisSessionPoll, type PartitionAnswer } from './redis-session-poll.ts'

/** As of a Redis client: a value or `null` for each key, in their order. */
export type Mget = (keys: string[]) => Promise<readonly unknown[]>

export interface RedisOptions {
  /** For example `(keys) => client.mget(keys)` of ioredis, or `(keys) => client.mGet(keys)` of node-redis. */
  mget: Mget
  /** The service's `REDIS_PREFIX`, unless the client puts it before every key by itself. */
  prefix?: string
}

const TIMEOUT_MS = 250
const PROBED_PARTITION = '00'

/**
 * One MGET for each check, 256 at a time at the most; what takes longer than 250 ms is unknown, and so is what
 * Redis has no watermark for. All keys of one MGET are in one slot of Redis Cluster.
 *
 * Sessions that are watched (10,000 at the most) are asked about once a second, up to 256 in one MGET.
 */
export function redis({ mget, prefix = '' }: RedisOptions): DenylistSource {
  return ({ onUnknown, onError }) => {
    const source = askedSource({ name: 'Redis', timeoutMs: TIMEOUT_MS, onError })
    const poll = redisSessionPoll({ ask: askPartition, onUnknown, onError })
    const closing = new AbortController()

    async function askPartition(partition: string, ids: string[]): Promise<PartitionAnswer | null> {
      const answer = await source.ask(async () => {
        const { isSynced, isDenied } = answerOf(
          await mget([watermarkKey(partition), ...ids.map(denialKey)].map((key) => prefix + key)),
          ids,
        )
        // Without a watermark Redis has told nothing but what it denies.
        if (!isSynced && !isDenied.includes(true)) throw new Error(`no watermark for partition ${partition}`)
        return { isSynced, isDenied }
      })
      return answer
    }

    return {
      async check({ claims: { sid }, tokenId }) {
        const answer = await askPartition(partitionOf(sid), [sid, tokenId])
        if (!answer) return 'unknown'
        if (answer.isDenied.includes(true)) return 'denied'
        return answer.isSynced ? 'live' : 'unknown'
      },

      onSessionEnd: poll.watch,
      freshness: source.freshness,

      whenKnown: async () => {
        await untilAnswered(async () => await askPartition(PROBED_PARTITION, []), closing.signal)
      },

      close: async () => {
        closing.abort()
        poll.close()
        await Promise.resolve()
      },
    }
  }
}

function answerOf(values: readonly unknown[], ids: string[]): PartitionAnswer {
  if (!Array.isArray(values) || values.length !== ids.length + 1) throw new Error('no answer to MGET')
  const [isSynced = false, ...isDenied] = values.map((value) => value !== null && value !== undefined)
  return { isSynced, isDenied }
}
