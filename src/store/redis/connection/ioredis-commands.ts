// The RedisCommands port over ioredis: every command goes out with the others of its moment, one batch to each node.
import { createHash } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import type { RedisCommands, ScriptCall } from '../redis-commands.ts'

export function ioredisCommands(client: Redis | Cluster): RedisCommands {
  const hashes = new Map<string, string>()

  function hashOf(lua: string): string {
    const known = hashes.get(lua)
    if (known !== undefined) return known
    const hash = createHash('sha1').update(lua).digest('hex')
    hashes.set(lua, hash)
    return hash
  }

  return {
    mget: async (keys) => await client.mget(keys),

    set: async (key, value, ttlMs) => {
      await client.set(key, value, 'PX', Math.ceil(ttlMs))
    },

    // Not by `defineCommand`: the library would take the number of keys for the key where it looks for the node.
    run: async ({ script: { lua }, keys, args }: ScriptCall) => {
      try {
        return await client.evalsha(hashOf(lua), keys.length, ...keys, ...args)
      } catch (error) {
        if (!isUnknownScript(error)) throw error
        // It did not run, so this is no second time.
        return await client.eval(lua, keys.length, ...keys, ...args)
      }
    },

    readStream: async (key, { after, count, blockMs }) => {
      // `BLOCK 0` would wait for ever.
      const answer =
        blockMs > 0
          ? await client.xread('COUNT', count, 'BLOCK', blockMs, 'STREAMS', key, after)
          : await client.xread('COUNT', count, 'STREAMS', key, after)
      return answer?.[0]?.[1] ?? []
    },
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
