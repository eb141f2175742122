// Lets the watermarks stand for longer while the journal cannot be read: by the word of every instance.
import type { InstanceAcks } from '../redis/instance-acks.ts'
import type { PartitionState, Watermarks } from '../redis/watermarks.ts'
import type { OwnPositions } from '../relay/own-positions.ts'

export interface KeepLeaseDeps {
  leaseMs: number
  instanceId: string
  acks: Pick<InstanceAcks, 'oldestAgeMs'>
  watermarks: Pick<Watermarks, 'step'>
  own: OwnPositions
}

/**
 * Nothing is acknowledged without Postgres. All that was acknowledged before must be in Redis, by the word of each of
 * the instances; so a watermark may stand until one lease after the oldest of these words. Only the instance that
 * brought a partition to where it stands may say so, and only over a connection that never broke: a Redis that lost
 * something stands elsewhere, or has ended the connection.
 *
 * Rejects with the driver's error when Redis took no step at all.
 */
export async function keepLease(
  deps: KeepLeaseDeps,
  states: readonly PartitionState[],
  instanceIds: readonly string[],
): Promise<void> {
  const { leaseMs, instanceId, watermarks, own } = deps
  const ageMs = await deps.acks.oldestAgeMs(instanceIds)
  if (ageMs === null || ageMs >= leaseMs) return
  const steps = states.flatMap((state) => {
    const { partition, positionText, position, watermark, redisNowMs } = state
    // A watermark that fell is not set anew: nobody knows why it fell.
    if (!position || watermark === null || !own.isOwn(state)) return []
    const to = { ...position, instanceId, isByAcks: true }
    return [{ partition, from: positionText, to, watermarkUntilMs: redisNowMs + leaseMs - ageMs }]
  })
  if (steps.length === 0) return
  await own.reaching(async () => {
    const { reached, failure } = await watermarks.step(steps)
    if (failure !== null && reached.size === 0) throw failure as Error
    return reached
  })
}
