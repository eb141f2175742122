// The watermarks on a Redis of their own, with each call that they make of it, and the ones that it does not answer.
import { PARTITIONS } from '../../../src/contract/denylist-keys.ts'
import type { RedisConnection } from '../../../src/store/redis/connection/redis-connection.ts'
import type { Position } from '../../../src/store/redis/proof.ts'
import type { RedisCommands, ScriptCall } from '../../../src/store/redis/redis-commands.ts'
import { redisWatermarks, type Step, type Watermarks } from '../../../src/store/redis/watermarks.ts'
import { patientRedis } from './patient-redis.ts'
import { testRedis, type TestRedis } from '../servers/redis.ts'

export interface WatermarksRig {
  redis: TestRedis
  connection: RedisConnection
  watermarks: Watermarks
  /** Of all watermarks of the rig, oldest first. */
  calls: ScriptCall[]
  /** Calls that Redis does not answer. */
  isAway: (call: ScriptCall) => boolean
  /** Those of another process, or of a Redis where no call may touch two partitions. */
  opened(nonce: string, spansPartitions?: boolean): Watermarks
  /** The position that it leads to; `null` where it is refused. */
  step(step: Step, by?: Watermarks): Promise<string | null>
  close(): Promise<void>
}

export const RIG_NAMES = { journalName: '0123456789abcdef', serverEpoch: '1-1', instanceId: 'one' }

/** To where a step leads. */
export function positionAt(relayedUpTo: number, over: Partial<Position> = {}): Step['to'] {
  return { ...RIG_NAMES, relayedUpTo, redisOffsetMs: 0, isByAcks: false, ...over }
}

export async function watermarksRig(): Promise<WatermarksRig> {
  const redis = await testRedis()
  const connection = await patientRedis(redis.url)
  const opened: WatermarksRig['opened'] = (nonce, spansPartitions = true) => {
    const commands: RedisCommands = {
      ...connection.commands,
      run: async (call) => {
        rig.calls.push(call)
        if (rig.isAway(call)) throw new Error('away')
        return await connection.commands.run(call)
      },
    }
    return redisWatermarks({ connection: { commands, spansPartitions }, partitions: PARTITIONS, nonce })
  }
  const rig: WatermarksRig = {
    redis,
    connection,
    watermarks: opened('nonce-'),
    calls: [],
    isAway: () => false,
    opened,
    step: async (step, by = rig.watermarks) => {
      const { reached, failure } = await by.step([step])
      if (failure !== null) throw failure as Error
      return reached.get(step.partition) ?? null
    },
    close: async () => {
      connection.close()
      await redis.remove()
    },
  }
  return rig
}

export async function outcomeOf(work: Promise<unknown>): Promise<'resolved' | 'rejected'> {
  return await work.then(
    () => 'resolved' as const,
    () => 'rejected' as const,
  )
}
