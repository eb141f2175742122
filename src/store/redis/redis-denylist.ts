// The Denylist port over Redis: believed where a watermark says that it agrees with the journal.
import { AuthError } from '../../auth/errors.ts'
import type { Denial, Denylist } from '../../auth/ports/denials.ts'
import {
  type JournalTime,
  denialKey,
  partitionOf,
  tokenId,
  watermarkKey,
} from '../../contract/denylist-keys.ts'
import { announce } from './announcements.ts'
import type { RedisConnection } from './connection/redis-connection.ts'

export interface RedisDenylist extends Denylist {
  /** No watermark up to there is believed: something that this instance acknowledged may be missing. */
  readonly requiredUpTo: JournalTime
  /** Redis being in line up to after that, nothing that this instance acknowledged is missing there, or in a feed. */
  readonly cleanAfter: JournalTime
  /**
   * Whether those who keep Redis in line know of this instance. Until they do, a denial that it cannot write is
   * not to be acknowledged: they might let Redis be believed without it.
   */
  readonly isKnown: boolean
  /** They do, until then by `performance.now()`. */
  setKnownUntil: (until: number) => void
  /** What Postgres's clock said, for a question that was asked at `askedAt` by `performance.now()`. */
  noteClock(nowMs: JournalTime, askedAt: number): void
  /** These partitions answer, under a watermark: they are asked from now on, and no others. */
  ask(partitions: string[]): void
}

export interface RedisDenylistDeps {
  connection: RedisConnection
  /** Hears of each denial that could not be written. */
  onWriteFailure: (error: unknown) => void
}

/** For clocks that do not run at quite the same speed. */
const CLOCK_MARGIN_MS = 1000

/**
 * Feeds without Postgres go by what was announced, as long as their journal is no further behind the watermark
 * than this: who could not announce something says that it is clean under one that is later by as much.
 */
export const ANNOUNCED_ONLY_MS = 2000

/**
 * A denial that this instance could not write, or that was written to a Redis which then went away, may be
 * missing under a watermark that others rightly believe: this instance goes by a later one.
 */
export function redisDenylist({ connection, onWriteFailure }: RedisDenylistDeps): RedisDenylist {
  const { client } = connection
  // A process that starts does not know what the one before it could not write.
  let requiredUpTo: JournalTime = Infinity
  let clock: { nowMs: JournalTime; askedAt: number } | null = null
  /** When the last denial was journaled, at the latest. */
  let deniedAt: number | null = null
  /** Something may be missing, and Postgres's clock was not read since. */
  let isRaised = false
  let knownUntil = -Infinity
  /** What is asked in vain is not asked again before the next tick. */
  let asked: ReadonlySet<string> = new Set()

  /** Not for what the process before it could not announce: nobody goes by its word. */
  let isAnnounced = true

  connection.onLoss(raise)

  /** To after the last denial of this instance. */
  function raise(): void {
    isRaised = true
    isAnnounced &&= deniedAt === null
    if (!clock || deniedAt === null) return
    const denied = clock.nowMs + (deniedAt - clock.askedAt) + CLOCK_MARGIN_MS
    requiredUpTo = Math.max(requiredUpTo, denied)
  }

  const denylist: RedisDenylist = {
    get isKnown() {
      return performance.now() < knownUntil
    },
    setKnownUntil: (until) => {
      knownUntil = until
    },
    get requiredUpTo() {
      return requiredUpTo
    },
    get cleanAfter() {
      return requiredUpTo + (isAnnounced ? 0 : ANNOUNCED_ONLY_MS)
    },
    noteClock: (nowMs, askedAt) => {
      const isFirst = clock === null
      clock = { nowMs, askedAt }
      if (isFirst) requiredUpTo = nowMs
      // The clock may have gone on while this process stood still.
      if (isRaised && deniedAt !== null) requiredUpTo = Math.max(requiredUpTo, nowMs)
      isRaised = false
      if (isFirst && deniedAt !== null) raise()
    },

    ask: (partitions) => {
      asked = new Set(partitions)
    },

    check: async ({ sid, jti }) => {
      const partition = partitionOf(sid)
      if (!asked.has(partition)) return 'unknown'
      try {
        const [synced, sessionDenied, tokenDenied] = await client.mget(
          watermarkKey(partition),
          denialKey(sid),
          denialKey(tokenId(sid, jti)),
        )
        if (sessionDenied !== null || tokenDenied !== null) return 'denied'
        return synced !== null && Number(synced) > requiredUpTo ? 'live' : 'unknown'
      } catch {
        asked = new Set()
        return 'unknown'
      }
    },

    deny: async (denials) => {
      deniedAt = performance.now()
      if (await isWritten(denials)) return
      raise()
      if (!denylist.isKnown) throw new AuthError('unavailable')
    },

    tell: async (denials) => {
      await isWritten(denials)
    },
  }
  return denylist

  async function isWritten(denials: Denial[]): Promise<boolean> {
    try {
      await writeDenials(connection, denials)
      return true
    } catch (error) {
      onWriteFailure(error)
      return false
    }
  }
}

/** One key a denial, which expires by itself, and their announcement. Rejects when Redis does not confirm all of it. */
export async function writeDenials(
  { client }: Pick<RedisConnection, 'client'>,
  denials: Denial[],
): Promise<void> {
  const live = denials.filter(({ ttlMs }) => ttlMs >= 1)
  await Promise.all([
    announce({ client }, live),
    ...live.map(async ({ id, ttlMs }) => await client.set(denialKey(id), '1', 'PX', Math.ceil(ttlMs))),
  ])
}
