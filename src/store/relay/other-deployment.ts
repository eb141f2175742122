// Whether another deployment writes to the same Redis: then neither may let a watermark stand for both.
import type { Clock } from '../../clock.ts'
import type { DenylistConnection } from '../redis/connection/redis-connection.ts'
import type { PartitionState } from '../redis/watermarks.ts'
import type { JournalView } from './journal-view.ts'
import type { OwnPositions } from './own-positions.ts'

/** This is said of it, wherever something is said. */
export const OTHER_DEPLOYMENT =
  'another deployment writes to this Redis, so no watermark is set: give each its own Redis, or a REDIS_PREFIX'

/**
 * Stands for a while after it was seen last, for the commands and for instances that do not relay; its value is until
 * when, in epoch milliseconds of Redis's clock.
 */
export const OTHER_DEPLOYMENT_KEY = 'denylist:{00}:other-deployment'

export interface OtherDeployment {
  /**
   * To be called with what each tick reads of Redis, and whether the view of the journal was read after that. Rejects
   * with the driver's error.
   */
  look(states: readonly PartitionState[], isViewFresh: boolean): Promise<void>
  /** Whether it was seen within the last minute, by whichever instance. */
  isSeen(): boolean
}

const SEEN_FOR_MS = 60_000
/** At the least, as long as the note stands: the next look is a second away. */
const NOTED_FOR_MS = 2000

export interface OtherDeploymentDeps {
  clock: Clock
  connection: Pick<DenylistConnection, 'commands'>
  own: Pick<OwnPositions, 'of' | 'isOwn'>
  view: Pick<JournalView, 'isForeign'>
}

export function otherDeployment({ clock, connection, own, view }: OtherDeploymentDeps): OtherDeployment {
  const { commands } = connection
  let seenUntil = -Infinity

  /** Only a move away from where this instance has brought a partition tells of two who are at it now. */
  function isMoved(state: PartitionState): boolean {
    return own.of(state.partition) !== undefined && !own.isOwn(state) && view.isForeign(state)
  }

  return {
    look: async (states, isViewFresh) => {
      const now = clock.steadyMs()
      const redisNowMs = states[0]?.redisNowMs ?? 0
      if (isViewFresh && states.some(isMoved)) {
        seenUntil = now + SEEN_FOR_MS
        await commands.set(OTHER_DEPLOYMENT_KEY, String(redisNowMs + SEEN_FOR_MS), SEEN_FOR_MS)
        return
      }
      const [noted] = await commands.mget([OTHER_DEPLOYMENT_KEY])
      if (typeof noted !== 'string') return
      // It is known from here on, also if Redis comes back without the note.
      const leftMs = Math.min((Number(noted) || 0) - redisNowMs, SEEN_FOR_MS)
      seenUntil = Math.max(seenUntil, now + Math.max(leftMs, NOTED_FOR_MS))
    },
    isSeen: () => clock.steadyMs() < seenUntil,
  }
}
