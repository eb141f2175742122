// The DenialFeed port: what this instance has learnt of denials, from whom, and up to when that is all.
import { EventEmitter } from 'node:events'
import type { Denial, DenialFeed } from '../../auth/ports/denials.ts'
import type { JournalTime } from '../../contract/denylist-keys.ts'
import { OVERLAP_MS, type JournalRow } from '../postgres/journal-reader.ts'
import { heldDenials } from './held-denials.ts'
import { knownUntil, type FeedClocks } from './known-until.ts'

export interface FeedTimes {
  leaseSeconds: number
  /** Seconds that an access token may be old. */
  accessAgeSeconds: number
  /** Seconds by which clocks may differ. */
  leewaySeconds: number
}

export interface FilledFeed extends DenialFeed {
  /** Up to where the journal is in, but for commits that come late. */
  readonly position: JournalTime
  /** How far back the journal matters. */
  readonly windowMs: number
  /** Takes what has just been denied. */
  hear(denials: readonly Denial[]): void
  /** Takes what the journal has. */
  read(rows: readonly JournalRow[]): void
  /** The journal is in up to `position`, and all that was acknowledged before `asOf`. */
  journaled(asOf: number, position: JournalTime): void
  /** All that was acknowledged before `asOf` is in. */
  vouched(asOf: number): void
  /** Lets go of what is past. */
  prune(): void
}

/** As many would not fit many replicas: then it is not to be believed, and takes no more. */
const MAX_HELD = 2_000_000

/** For what is told late, or rounded. */
const SLACK_SECONDS = 6

const CLOCKS: FeedClocks = { epochMs: Date.now, steadyMs: () => performance.now() }

export function denialFeed(
  { leaseSeconds, accessAgeSeconds, leewaySeconds }: FeedTimes,
  clocks: FeedClocks = CLOCKS,
  maxHeld = MAX_HELD,
): FilledFeed {
  const held = heldDenials()
  const events = new EventEmitter<{ news: [] }>()
  events.setMaxListeners(0)
  const coversSeconds = accessAgeSeconds + leewaySeconds
  /** Tokens are issued until all know of the end, and by clocks that may be ahead of those who check them. */
  const windowMs = (coversSeconds + leaseSeconds + 2 * leewaySeconds + SLACK_SECONDS) * 1000
  const known = knownUntil(clocks)
  let position: JournalTime = 0
  /** There was no room for some. */
  let isIncomplete = false

  /**
   * Whether it was news. However old a row is, until it is seen tokens may have been issued: its commit may have
   * waited. Foreign tokens are not access tokens of ours, whatever their issuer calls them.
   */
  function add({ id, ttlMs }: Denial, createdAtMs: JournalTime): boolean {
    if (!id.includes('-')) return false
    const leftMs = Math.min(ttlMs, windowMs)
    if (!(leftMs > 0)) return false
    if (held.end - held.begin >= maxHeld) {
      isIncomplete = true
      return false
    }
    const until = Math.ceil((clocks.epochMs() + leftMs) / 1000) + 1
    return held.add({ id, until, createdAtMs }, clocks.steadyMs() + leftMs + 1000)
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
    get resumeAt() {
      return Math.max(0, position - OVERLAP_MS)
    },
    get position() {
      return position
    },
    get begin() {
      return held.begin
    },
    get end() {
      return held.end
    },
    at: held.at,
    onNews: (listener) => void events.on('news', listener),

    hear: (denials) => {
      let isNews = false
      for (const denial of denials) isNews = add(denial, Infinity) || isNews
      if (isNews) events.emit('news')
    },
    read: (rows) => {
      let isNews = false
      for (const row of rows) isNews = add(row, row.createdAtMs) || isNews
      if (isNews) events.emit('news')
    },
    journaled: (at, upTo) => {
      if (isIncomplete) {
        // All that matters is read once more: there may be room by then.
        isIncomplete = false
        known.lose()
        position = 0
        return
      }
      known.extend(at)
      position = upTo
      events.emit('news')
    },
    vouched: (at) => {
      known.extend(at)
      events.emit('news')
    },
    prune: () => {
      held.prune(clocks.steadyMs())
    },
  }
}
