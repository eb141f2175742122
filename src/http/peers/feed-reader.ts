// One reader of the feed: what it has got, what comes next, and whether it still reads.
import { Readable } from 'node:stream'
import type { DenialFeed } from '../../auth/ports/denials.ts'
import { PIECE, type FeedFrames } from './feed-frames.ts'

export interface FeedReader {
  readonly stream: Readable
  /** Hands on what it has not got yet, as far as it reads. */
  serve: () => void
  /** It has what it got so far, and may come again. */
  dismiss: () => void
  /** For how long it has left unread what it got. */
  stalledMs: () => number
}

/** All readers are brought up to this. */
export interface FeedNews {
  number: number
  /** Of the next denial that nobody has. */
  end: number
  /** The text that comes after the denials. */
  sync: Buffer
}

export interface FeedReaderDeps {
  feed: Pick<DenialFeed, 'begin' | 'resumeFrom'>
  frames: FeedFrames
  news: () => FeedNews
  onGone: (reader: FeedReader) => void
  /** Milliseconds that only grow. */
  now: () => number
}

export interface FeedRequest {
  /** When it asked, by the steady clock. */
  arrivedAt: number
  /** Of the last sync that it has read, whatever text that is; empty for none. */
  lastEventId: string
}

/** A reader may leave so much unread; the rest waits in the list of denials. */
const UNREAD_BYTES = 64 * 1024

export function feedReader(deps: FeedReaderDeps, { arrivedAt, lastEventId }: FeedRequest): FeedReader {
  const { feed, frames, news, now } = deps
  const since = feed.resumeFrom(lastEventId) ?? 0
  const snapshotEnd = news().end
  let next = feed.begin
  let synced = 0
  /** Whether it has read what it got. */
  let isHungry = false
  let isDone = false
  let fedAt = now()

  const stream = new Readable({
    highWaterMark: UNREAD_BYTES,
    read: () => {
      isHungry = true
      serve()
    },
    destroy: (error, done) => {
      deps.onGone(reader)
      done(error)
    },
  })
  const reader: FeedReader = {
    stream,
    serve,
    dismiss: () => {
      if (isDone) return
      isDone = true
      fedAt = now()
      stream.push(null)
    },
    // The end is to be read too: whoever never does would keep its place for ever.
    stalledMs: () => (isHungry && !isDone ? 0 : now() - fedAt),
  }
  stream.push(frames.open(arrivedAt))
  return reader

  function serve(): void {
    while (isHungry && !isDone) {
      const piece = nextPiece()
      if (piece === null) return
      fedAt = now()
      if (piece.length > 0) isHungry = stream.push(piece)
    }
  }

  /** `null` when it has all there is. */
  function nextPiece(): Buffer | null {
    const { number, end, sync } = news()
    // The denials that are gone by now are past.
    const from = Math.max(next, feed.begin)
    if (from < snapshotEnd) {
      next = Math.min(nextMultiple(from), snapshotEnd)
      return frames.snapshot(from, next, since)
    }
    if (from < end) {
      next = Math.min(from + PIECE, end)
      return frames.denials(from, next)
    }
    // Behind every denial that it tells of.
    if (synced === number) return null
    synced = number
    return sync
  }
}

/** Readers who come together get the same pieces. */
function nextMultiple(from: number): number {
  return (Math.floor(from / PIECE) + 1) * PIECE
}
