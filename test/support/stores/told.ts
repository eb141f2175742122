// What a connection to Redis tells of itself, in its order.
import type { RedisConnection } from '../../../src/store/redis/connection/redis-connection.ts'
import { eventually } from '../service/environment.ts'

/** `ready` and `loss`, oldest first; goes on growing. */
export function toldBy(connection: RedisConnection): string[] {
  const told: string[] = []
  connection.onReady(() => told.push('ready'))
  connection.onLoss(() => told.push('loss'))
  return told
}

export async function untilConnected(connection: RedisConnection): Promise<void> {
  await eventually(async () => await Promise.resolve(connection.isReady))
}
