// Tells Redis at once what a command has ended.
import type { Denial } from '../auth/ports/denials.ts'
import type { SystemLog } from '../ops/log.ts'
import { connectedRedis } from '../store/redis/connection/connected-redis.ts'
import { writeDenials } from '../store/redis/redis-denylist.ts'
import { describeError } from './describe-error.ts'

export interface TellRedisDeps {
  /** `null`: what ends is left to the relay. */
  redisUrl: string | null
  redisPrefix: string
  /** The name of the journal that the denials are from. */
  journalName: () => Promise<string>
  log: SystemLog
}

/**
 * Resolves to whether Redis has them. Never rejects: the journal has them, and every running service carries them over
 * within a second.
 */
export async function tellRedis(
  { redisUrl, redisPrefix, journalName, log }: TellRedisDeps,
  denials: Denial[],
): Promise<boolean> {
  if (denials.length === 0) return true
  try {
    if (redisUrl === null) throw new Error('REDIS_URL is not set')
    const connection = await connectedRedis(redisUrl, redisPrefix)
    try {
      await writeDenials({ commands: connection.commands, journalName: await journalName() }, denials)
      return true
    } finally {
      connection.close()
    }
  } catch (error) {
    log.warn(
      `Redis was not told (${describeError(error)}): a service does that within a second of reading Postgres`,
    )
    return false
  }
}
