// Waits for a world in which all is well.
import { setTimeout as sleep } from 'node:timers/promises'
import { PARTITIONS, watermarkKey } from '../../src/contract/denylist-keys.ts'
import type { Api } from './api.ts'
import { INSTANCES } from './history.ts'
import type { RunService } from './world.ts'

const READY_TIMEOUT_MS = 50_000

/** Resolves when both instances and the peer see a Redis that is in sync. Rejects when they do not in time. */
export async function untilReady(
  { redis }: Pick<RunService, 'redis'>,
  calls: Api,
  timeoutMs = READY_TIMEOUT_MS,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  const isReady = async (): Promise<boolean> => {
    const each = await Promise.all([
      ...INSTANCES.map(async (name) => await calls.isReady(name)),
      ...PARTITIONS.map(async (partition) => await isSynced(redis, partition)),
    ])
    return each.every(Boolean)
  }
  while (!(await isReady())) {
    if (Date.now() > deadline)
      throw new Error('the world is not ready: an instance or a watermark is missing')
    await sleep(200)
  }
}

async function isSynced(redis: RunService['redis'], partition: string): Promise<boolean> {
  const [watermark] = await redis.mget([watermarkKey(partition)]).catch(() => [null])
  return watermark != null
}
