// Reads the events of the feed, as far as they are what they should be.
import type { FeedDenial, FeedOpen, FeedSync } from '../../contract/feed.ts'
import type { StreamEvent } from './event-stream.ts'

export type FeedEvent =
  | { type: 'open'; open: FeedOpen }
  | { type: 'snapshot' | 'deny'; denials: FeedDenial[] }
  /** `resumeFrom`: the Last-Event-ID that continues after it. */
  | { type: 'sync'; sync: FeedSync; resumeFrom: string }

/** `null` for a kind of event that is not known here. Throws an `Error` for one that is malformed. */
export function parseFeedEvent({ type, data, lastEventId }: StreamEvent): FeedEvent | null {
  switch (type) {
    case 'open':
      return { type, open: openOf(JSON.parse(data)) }
    case 'snapshot':
      return { type, denials: denialsOf(JSON.parse(data)) }
    case 'deny':
      return { type, denials: denialsOf([JSON.parse(data)]) }
    case 'sync':
      return { type, sync: syncOf(JSON.parse(data)), resumeFrom: printable(lastEventId) }
    default:
      return null
  }
}

function openOf(value: unknown): FeedOpen {
  const open = value as FeedOpen | null
  const isWhole = open !== null && Number.isFinite(open.now) && open.lease > 0 && open.covers > 0
  if (!isWhole || !Number.isFinite(open.lease) || !Number.isFinite(open.covers)) throw malformed('open')
  return open
}

function denialsOf(value: unknown): FeedDenial[] {
  const isWhole = Array.isArray(value) && value.every(isDenial)
  if (!isWhole) throw malformed('denial')
  return value
}

function isDenial(value: unknown): value is FeedDenial {
  const denial = value as FeedDenial | null
  return typeof denial?.id === 'string' && denial.id !== '' && Number.isFinite(denial.until)
}

function syncOf(value: unknown): FeedSync {
  const sync = value as FeedSync | null
  if (sync === null || !Number.isFinite(sync.as_of)) throw malformed('sync')
  return sync
}

/** It becomes a header. */
function printable(id: string): string {
  if (!/^[\x21-\x7e]{0,256}$/.test(id)) throw malformed('id')
  return id
}

function malformed(what: string): Error {
  return new Error(`the feed sent a malformed ${what}`)
}
