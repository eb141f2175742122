// Sends an embedded Redis one command over a connection of its own.
import { Redis } from 'ioredis'
import type { RedisAccess } from './config.ts'

const TIMEOUT_MS = 2000

/** Resolves to the reply; rejects within seconds on refusal, silence or an error reply. */
export async function redisCommand({ port, password }: RedisAccess, command: string[]): Promise<unknown> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    password,
    lazyConnect: true,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    // A Redis that is loading is one to talk to as well.
    enableReadyCheck: false,
  })
  // Without a listener ioredis prints every refused connection.
  client.on('error', () => undefined)
  try {
    await client.connect()
    const [name = '', ...args] = command
    return await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}
