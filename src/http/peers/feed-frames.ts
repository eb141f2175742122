// The feed as text: each piece is made once, whatever the number of its readers.
import type { DenialFeed } from '../../auth/ports/denials.ts'
import type { JournalTime } from '../../contract/denylist-keys.ts'
import type { FeedDenial, FeedOpen, FeedSync } from '../../contract/feed.ts'

export interface FeedFrames {
  open(arrivedAt: number): string
  /** The denials from `from` up to `to`, of which the ones count that were journaled at or after `since`. */
  snapshot(from: number, to: number, since: JournalTime): Buffer
  /** One event each. */
  denials(from: number, to: number): Buffer
  sync(): Buffer
}

/** Denials in one piece. */
export const PIECE = 512
/** Pieces kept for the next reader: of those who come together, each is at another one. */
const MAX_KEPT = 64

/** `originMs`: when the steady clock began, in milliseconds since 1970. */
export function feedFrames(feed: DenialFeed, originMs: number = performance.timeOrigin): FeedFrames {
  /** Milliseconds since 1970 by a clock that is never set; `at` is of the steady clock. */
  const epochMs = (at: number): number => originMs + at
  const kept = new Map<string, Buffer>()

  /** `make` makes the same for the same name, as denials with the same numbers do not change. */
  function once(name: string, make: () => string): Buffer {
    const known = kept.get(name)
    if (known) return known
    const made = Buffer.from(make())
    if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value ?? '')
    kept.set(name, made)
    return made
  }

  function held(from: number, to: number, since: JournalTime): FeedDenial[] {
    const denials: FeedDenial[] = []
    for (let index = from; index < to; index += 1) {
      const { id, until, createdAtMs } = feed.at(index)
      if (createdAtMs >= since) denials.push({ id, until })
    }
    return denials
  }

  function snapshotOf(from: number, to: number, since: JournalTime): string {
    const denials = held(from, to, since)
    return denials.length === 0 ? '' : event('snapshot', denials)
  }

  return {
    open: (arrivedAt) => {
      const { leaseSeconds: lease, coversSeconds: covers } = feed
      return event('open', { now: epochMs(arrivedAt), lease, covers } satisfies FeedOpen)
    },
    snapshot: (from, to, since) =>
      since > 0
        ? Buffer.from(snapshotOf(from, to, since))
        : once(`snapshot ${from} ${to}`, () => snapshotOf(from, to, 0)),
    denials: (from, to) =>
      once(`deny ${from} ${to}`, () =>
        held(from, to, 0)
          .map((denial) => event('deny', denial))
          .join(''),
      ),
    sync: () =>
      Buffer.from(`id: ${feed.resumeId}\n${event('sync', { as_of: epochMs(feed.asOf) } satisfies FeedSync)}`),
  }
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
