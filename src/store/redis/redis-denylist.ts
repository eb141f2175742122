// The Denylist port over Redis: it denies what any witness denies, and says live only under a watermark.
import { AuthError } from '../../auth/errors.ts'
import type { Denial, Denylist } from '../../auth/ports/denials.ts'
import type { Clock } from '../../clock.ts'
import {
  denialKey,
  type JournalTime,
  partitionOf,
  tokenId,
  watermarkKey,
} from '../../contract/denylist-keys.ts'
import { announce } from './announcements.ts'
import type { DenylistConnection } from './connection/redis-connection.ts'
import { parseWatermark, type Watermark } from './proof.ts'
import type { RedisCommands } from './redis-commands.ts'

export interface RedisDenylist extends Denylist {
  /**
   * Whether the relay knows of this instance. Until it does, a denial that this instance cannot write is not to be
   * acknowledged: Redis might be believed without it.
   */
  readonly isRegistered: boolean
  /** It does, until then by the steady clock. */
  setRegisteredUntil: (until: number) => void
  /** These partitions answer: they are asked from now on, and no others. */
  ask(partitions: readonly string[]): void
}

/** Which watermarks this instance can believe; see `requiredUpTo` in vouching. */
export interface RequiredWatermark {
  /** No watermark up to there is believed: something that this instance acknowledged may be missing. */
  readonly requiredUpTo: JournalTime
  /** Something is denied from now on. */
  noteDenial: () => void
  /** Tells that the last writes may be missing. */
  raise: () => void
}

export interface RedisDenylistDeps {
  connection: Pick<DenylistConnection, 'commands' | 'onLoss'>
  clock: Pick<Clock, 'steadyMs'>
  required: RequiredWatermark
  /** Whether this instance has acknowledged or heard that this id is denied. */
  isHeld: (id: string) => boolean
  /** Whether a watermark speaks of this journal, and was set by an instance of this deployment. */
  believes: (watermark: Watermark) => boolean
  /** The name of the journal; `null` as long as Postgres has not told it. */
  journalName: () => string | null
  /** Hears of each denial that could not be written. */
  onWriteFailure: (error: unknown) => void
}

/**
 * A denial that this instance could not write, or that was written to a Redis which then went away, may be
 * missing under a watermark that others rightly believe: this instance goes by a later one.
 */
export function redisDenylist(deps: RedisDenylistDeps): RedisDenylist {
  const { clock, required, isHeld, believes, journalName, onWriteFailure } = deps
  const { commands } = deps.connection
  let registeredUntil = -Infinity
  /** A partition that does not answer is not asked again before the next tick. */
  let asked: ReadonlySet<string> = new Set()
  deps.connection.onLoss(required.raise)

  const denylist: RedisDenylist = {
    get isRegistered() {
      return clock.steadyMs() < registeredUntil
    },
    setRegisteredUntil: (until) => {
      registeredUntil = until
    },
    ask: (partitions) => {
      asked = new Set(partitions)
    },

    check: async ({ sid, jti }) => {
      const partition = partitionOf(sid)
      const token = tokenId(sid, jti)
      if (isHeld(sid) || isHeld(token)) return 'denied'
      if (!asked.has(partition)) return 'unknown'
      try {
        const [synced = null, ...denials] = await commands.mget([
          watermarkKey(partition),
          denialKey(sid),
          denialKey(token),
        ])
        // A denial is believed without a watermark: nothing ever takes one back.
        if (denials.some((denial) => denial !== null) || isHeld(sid)) return 'denied'
        const watermark = parseWatermark(synced)
        const isLive =
          watermark !== null && watermark.relayedUpTo > required.requiredUpTo && believes(watermark)
        return isLive ? 'live' : 'unknown'
      } catch {
        asked = new Set()
        return 'unknown'
      }
    },

    deny: async (denials) => {
      required.noteDenial()
      if (await isWritten(denials, journalName())) return
      required.raise()
      if (!denylist.isRegistered) throw new AuthError('unavailable')
    },

    tell: async (denials) => {
      // An announced denial is journaled where the journal lacks it, and this one was never acknowledged.
      await isWritten(denials, null)
    },
  }
  return denylist

  async function isWritten(denials: Denial[], announcedFor: string | null): Promise<boolean> {
    try {
      await writeDenials({ commands, journalName: announcedFor }, denials)
      return true
    } catch (error) {
      onWriteFailure(error)
      return false
    }
  }
}

export interface WriteDenialsDeps {
  commands: RedisCommands
  /** Under which the denials are announced; `null` announces nothing. */
  journalName: string | null
}

/** One key a denial, which expires by itself, and their announcement. Rejects when Redis does not confirm all of it. */
export async function writeDenials(
  { commands, journalName }: WriteDenialsDeps,
  denials: readonly Denial[],
): Promise<void> {
  const live = denials.filter(({ ttlMs }) => ttlMs >= 1)
  await Promise.all([
    ...(journalName === null ? [] : [announce(commands, journalName, live)]),
    ...live.map(async ({ id, ttlMs }) => {
      await commands.set(denialKey(id), '1', Math.ceil(ttlMs))
    }),
  ])
}
