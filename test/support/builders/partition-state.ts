// Partitions of the denylist as they are read from Redis.
import { positionText, type Position } from '../../../src/store/redis/proof.ts'
import type { PartitionState } from '../../../src/store/redis/watermarks.ts'

/** Where nothing stands; `over` replaces fields. */
export function partitionState(over: Partial<PartitionState> = {}): PartitionState {
  return {
    partition: '0a',
    positionText: '',
    position: null,
    watermark: null,
    redisNowMs: 1_800_000_000_000,
    ...over,
  }
}

/** A position with the watermark that is set beside it; `over` replaces fields of both. */
export function position(
  over: Partial<Position> = {},
): Pick<PartitionState, 'positionText' | 'position' | 'watermark'> {
  const at: Position = {
    relayedUpTo: 1_799_999_999_000,
    journalName: '0123456789abcdef',
    serverEpoch: '1-00000001',
    instanceId: 'one',
    redisOffsetMs: 0,
    token: 't1',
    isByAcks: false,
    ...over,
  }
  const { relayedUpTo, journalName, instanceId } = at
  return { positionText: positionText(at), position: at, watermark: { relayedUpTo, journalName, instanceId } }
}
