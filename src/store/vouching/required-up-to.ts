// Which watermarks this instance can believe, and when it is clean: by what it acknowledged, and may not have written.
import type { Clock } from '../../clock.ts'
import type { JournalTime } from '../../contract/denylist-keys.ts'

export interface RequiredUpTo {
  /** No watermark up to there is believed: something that this instance acknowledged may be missing. */
  readonly requiredUpTo: JournalTime
  /** Once Redis is in line up to after that, nothing that this instance acknowledged is missing there, or in a feed. */
  readonly cleanAfter: JournalTime
  /** Postgres's clock said so, for a question that was asked at `askedAt` by the steady clock. */
  noteClock(nowMs: JournalTime, askedAt: number): void
  /** Something is denied from now on. */
  noteDenial(): void
  /** The last writes may be missing: requires a watermark from after the last denial. */
  raise: () => void
}

/** For clocks that do not run at quite the same speed. */
const CLOCK_MARGIN_MS = 1000

/**
 * Feeds without Postgres go by what was announced, as long as their journal is no further behind the watermark
 * than this. An instance that could not announce something says that it is clean under a watermark later by as much.
 */
export const ANNOUNCED_ONLY_MS = 2000

export function requiredUpTo({ steadyMs }: Pick<Clock, 'steadyMs'>): RequiredUpTo {
  // A process that starts does not know what the one before it could not write.
  let required: JournalTime = Infinity
  let journalClock: { nowMs: JournalTime; askedAt: number } | null = null
  /** When the last denial was journaled, at the latest. */
  let deniedAt: number | null = null
  /** Something may be missing, and Postgres's clock was not read since. */
  let isRaised = false
  /** Not for what the process before it could not announce: nobody goes by its word. */
  let isAnnounced = true

  function raise(): void {
    isRaised = true
    isAnnounced &&= deniedAt === null
    if (!journalClock || deniedAt === null) return
    const denied = journalClock.nowMs + (deniedAt - journalClock.askedAt) + CLOCK_MARGIN_MS
    required = Math.max(required, denied)
  }

  return {
    get requiredUpTo() {
      return required
    },
    get cleanAfter() {
      return required + (isAnnounced ? 0 : ANNOUNCED_ONLY_MS)
    },
    noteClock: (nowMs, askedAt) => {
      const isFirst = journalClock === null
      journalClock = { nowMs, askedAt }
      if (isFirst) required = nowMs
      // The clock may have gone on while this process stood still.
      if (isRaised && deniedAt !== null) required = Math.max(required, nowMs)
      isRaised = false
      if (isFirst && deniedAt !== null) raise()
    },
    noteDenial: () => {
      deniedAt = steadyMs()
    },
    raise,
  }
}
