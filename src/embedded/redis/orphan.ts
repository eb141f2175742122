// Ends a Redis that outlived the process which started it, and no other process.
import { realpath } from 'node:fs/promises'
import { isAlive, workingDirectory } from '../process/process-state.ts'
import { readIfPresent } from '../files/read-if-present.ts'
import { redisCommand } from './command.ts'
import { readRedisAccess, type RedisAccess, type RedisPlaces } from './config.ts'
import { waitUntil } from '../process/wait-until.ts'

const STOP_TIMEOUT_MS = 10_000

/**
 * Resolves once nothing of an earlier start is in the way. A Redis is shut down only after it has taken our
 * password and named our directory as its own; rejects when one is at work there that does not.
 */
export async function stopRedisOrphan(places: RedisPlaces, say: (line: string) => void): Promise<void> {
  const access = await readRedisAccess(places)
  if (!access) return
  if (!(await servesOurData(access, places))) {
    await refuseSilentOne(places)
    return
  }

  const pid = await processId(access)
  say(`Stopping the Redis an earlier run left behind (pid ${pid})`)
  // Asked again and again: Redis puts a shutdown off while it first writes its append-only file.
  const gone = await waitUntil(async () => {
    await redisCommand(access, ['SHUTDOWN', 'NOSAVE']).catch(() => undefined)
    return !(await isAlive(pid))
  }, STOP_TIMEOUT_MS)
  if (!gone) {
    throw new Error(
      `The Redis an earlier run left behind (pid ${pid}) does not stop: end it by hand, then start again.`,
    )
  }
}

async function servesOurData(access: RedisAccess, places: RedisPlaces): Promise<boolean> {
  try {
    const reply = await redisCommand(access, ['CONFIG', 'GET', 'dir'])
    const served = Array.isArray(reply) ? (reply as unknown[])[1] : null
    return typeof served === 'string' && (await realpath(served)) === (await realpath(places.data))
  } catch {
    return false
  }
}

async function processId(access: RedisAccess): Promise<number> {
  const info = String(await redisCommand(access, ['INFO', 'server']))
  const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1])
  if (!(pid > 1))
    throw new Error('The Redis an earlier run left behind does not tell its process id: end it by hand.')
  return pid
}

/** Redis does not lock its directory: two at work on one append-only file would ruin it. */
async function refuseSilentOne(places: RedisPlaces): Promise<void> {
  const pid = Number(await readIfPresent(places.pidFile))
  if (!(pid > 1) || !(await isAlive(pid))) return
  const directory = await workingDirectory(pid)
  if (directory === null || directory !== (await realpath(places.data).catch(() => null))) return
  throw new Error(
    `A Redis (pid ${pid}) is at work on ${places.data} and does not answer: end it by hand, then start again.`,
  )
}
