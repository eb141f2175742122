// The positions that this instance has brought partitions to, over a connection that never broke since.
import type { DenylistConnection } from '../redis/connection/redis-connection.ts'
import type { PartitionState } from '../redis/watermarks.ts'

export interface OwnPositions {
  /** Does the work, which resolves to positions it has reached, unless what was written may be gone again by then. */
  reaching(work: () => Promise<ReadonlyMap<string, string>>): Promise<void>
  /** The position, as a text; `undefined` where this instance has brought the partition nowhere. */
  of(partition: string): string | undefined
  /** Whether the partition still stands where this instance has brought it. */
  isOwn(state: PartitionState): boolean
  forget(): void
}

export function ownPositions(connection: Pick<DenylistConnection, 'onLoss'>): OwnPositions {
  const own = new Map<string, string>()
  let losses = 0
  connection.onLoss(forget)

  function forget(): void {
    losses += 1
    own.clear()
  }

  return {
    reaching: async (work) => {
      const lossesBefore = losses
      const reached = await work()
      if (losses !== lossesBefore) return
      for (const [partition, position] of reached) own.set(partition, position)
    },
    of: (partition) => own.get(partition),
    isOwn: ({ partition, positionText }) => positionText !== '' && own.get(partition) === positionText,
    forget,
  }
}
