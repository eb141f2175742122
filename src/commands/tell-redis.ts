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

export type TellRedis = (denials: Denial[]) => Promise<boolean>

/**
 * The result resolves to whether Redis has them, and never rejects: the journal has them, and every running service
 * carries them over within a second. A Redis that failed once is left to that: the command says so once, and does not
 * wait for it again.
 */
export function redisTeller(deps: TellRedisDeps): TellRedis {
  let isLeftToServices = false
  return async (denials) => {
    if (denials.length === 0) return true
    if (isLeftToServices) return false
    try {
      await tell(deps, denials)
      return true
    } catch (error) {
      isLeftToServices = true
      deps.log.warn(
        `Redis was not told (${describeError(error)}): a service does that within a second of reading Postgres`,
      )
      return false
    }
  }
}

async function tell({ redisUrl, redisPrefix, journalName }: TellRedisDeps, denials: Denial[]): Promise<void> {
  if (redisUrl === null) throw new Error('REDIS_URL is not set')
  const connection = await connectedRedis(redisUrl, { prefix: redisPrefix })
  try {
    await writeDenials({ commands: connection.commands, journalName: await journalName() }, denials)
  } finally {
    connection.close()
  }
}
