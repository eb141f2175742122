// The DenialFeed port, and the memory of this instance: what it has learnt of denials, and up to when that is all.
import { EventEmitter } from 'node:events'
import { createHash } from 'node:crypto'
import type { Denial, DenialFeed } from '../../auth/ports/denials.ts'
import type { Clock } from '../../clock.ts'
import type { DeniedId, JournalTime } from '../../contract/denylist-keys.ts'
import { OVERLAP_MS, type JournalRow } from '../postgres/journal-reader.ts'
import { denialMemory, type Remembered } from './denial-memory.ts'
import type { HeldDenials } from './held-denials.ts'
import { knownUntil } from './known-until.ts'

export interface FeedTimes {
  leaseSeconds: number
  /** Seconds that an access token may be old. */
  accessAgeSeconds: number
  /** Seconds by which clocks may differ. */
  leewaySeconds: number
}

export interface FilledFeed extends DenialFeed {
  /** Up to where the journal is in, but for commits that come late; 0 where nothing of it is. */
  readonly position: JournalTime
  /** How far back the journal matters. */
  readonly windowMs: number
  /** Whether this instance has acknowledged or heard that this is denied: then it is, whatever the stores say. */
  isHeld: (id: DeniedId) => boolean
  /** All that is held: what the feed tells, and the tokens of other services, which it does not. */
  readonly held: readonly HeldDenials[]
  /** Takes what has just been denied; what is not acknowledged is not mended where the journal lacks it. */
  hear(denials: readonly Denial[], acknowledgement?: { isAcknowledged: boolean }): void
  /** Takes what the journal has. */
  read: (rows: readonly JournalRow[]) => void
  /** The journal of that name is in up to `position`, and all that was acknowledged before `asOf`. */
  journaled(asOf: number, journal: { position: JournalTime; name: string }): void
  /** All that was acknowledged before `asOf` is in. */
  vouched(asOf: number): void
  /** Lets go of what is past. */
  prune: () => void
}

/** As many would not fit many replicas: then it is not to be believed, and takes no more. */
const MAX_HELD = 2_000_000

/** For what is told late, or rounded. */
const SLACK_SECONDS = 6

export function denialFeed(
  { leaseSeconds, accessAgeSeconds, leewaySeconds }: FeedTimes,
  clock: Clock,
  maxHeld = MAX_HELD,
): FilledFeed {
  const events = new EventEmitter<{ news: [] }>()
  events.setMaxListeners(0)
  const coversSeconds = accessAgeSeconds + leewaySeconds
  /** Tokens are issued until all know of the end, and by clocks that may be ahead of those who check them. */
  const windowMs = (coversSeconds + leaseSeconds + 2 * leewaySeconds + SLACK_SECONDS) * 1000
  const known = knownUntil(clock)
  let position: JournalTime = 0
  let tag = ''

  /** There was no room for some. */
  let isIncomplete = false
  const memory = denialMemory({ clock, windowMs, maxHeld })
  const { fed } = memory

  function add(denials: readonly Remembered[], isAcknowledged: boolean): void {
    const isNews = memory.add(denials, isAcknowledged)
    isIncomplete ||= memory.hasOverflown()
    if (isNews) events.emit('news')
  }

  return {
    leaseSeconds,
    coversSeconds,
    windowMs,
    get isKnown() {
      return known.isWithin(leaseSeconds * 1000) && !isIncomplete
    },
    get asOf() {
      return known.asOf
    },
    get resumeId() {
      return `${Math.floor(Math.max(0, position - OVERLAP_MS))}-${coversSeconds}-${tag}`
    },
    resumeFrom: (id) => {
      const [, since = '', covers = '', journal] = /^(\d{1,15})-(\d{1,9})-([0-9a-f]{8})$/.exec(id) ?? []
      // A reader that was told of less than this feed covers, or of another journal, lacks some of what it needs.
      return since === '' || Number(covers) < coversSeconds || journal !== tag ? null : Number(since)
    },
    get position() {
      return position
    },
    get begin() {
      return fed.begin
    },
    get end() {
      return fed.end
    },
    at: fed.at,
    isHeld: memory.has,
    held: [fed, memory.foreign],
    onNews: (listener) => void events.on('news', listener),

    hear: (denials, { isAcknowledged } = { isAcknowledged: true }) => {
      // When the journal writes it is not known yet, whatever a denial brings along.
      add(
        denials.map(({ id, ttlMs }) => ({ id, ttlMs })),
        isAcknowledged,
      )
    },
    read: (rows) => {
      add(rows, true)
    },
    journaled: (at, journal) => {
      if (isIncomplete) {
        // All that matters is read once more: there may be room by then.
        isIncomplete = false
        known.lose()
        position = 0
        return
      }
      known.extend(at)
      position = journal.position
      tag = createHash('sha256').update(journal.name).digest('hex').slice(0, 8)
      events.emit('news')
    },
    vouched: (at) => {
      known.extend(at)
      events.emit('news')
    },
    prune: memory.prune,
  }
}
