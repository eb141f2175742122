// The word of this instance, said as a heartbeat: up to when nothing that it acknowledged is missing in Redis.
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { DenylistConnection } from '../redis/connection/redis-connection.ts'
import type { InstanceAcks } from '../redis/instance-acks.ts'
import type { PartitionState } from '../redis/watermarks.ts'
import type { RequiredUpTo } from './required-up-to.ts'

export interface CleanAcks {
  /** The journal is in every part of Redis up to there. */
  noteRelayed(relayedUpTo: JournalTime): void
  /** Whether each part of Redis holds all that this instance has acknowledged so far, and so do the feeds. */
  readonly isClean: boolean
  /**
   * Says it. To be called with what was read of Redis before `noteRelayed`; also when nothing new can be said: a
   * Redis that takes no writes is found out by that. Rejects with the driver's error.
   */
  say(states: readonly PartitionState[]): Promise<void>
}

export interface CleanAcksDeps {
  connection: Pick<DenylistConnection, 'onLoss'>
  required: RequiredUpTo
  acks: Pick<InstanceAcks, 'say'>
}

/** The partition whose clock the words go by, and which holds them. */
const MEETING_PARTITION = '00'

export function cleanAcks({ connection, required, acks }: CleanAcksDeps): CleanAcks {
  let relayedUpTo: JournalTime = 0
  /** By the clock of Redis; 0 before the first time. */
  let cleanAtMs = 0
  // An acknowledgement that was clean before may be missing again.
  connection.onLoss(() => {
    cleanAtMs = 0
  })
  const isClean = (): boolean => relayedUpTo > required.cleanAfter

  return {
    noteRelayed: (upTo) => {
      relayedUpTo = upTo
    },
    get isClean() {
      return isClean()
    },
    say: async (states) => {
      const meeting = states.find(({ partition }) => partition === MEETING_PARTITION)
      if (!meeting) return
      if (isClean()) cleanAtMs = meeting.redisNowMs
      await acks.say(cleanAtMs)
    },
  }
}
