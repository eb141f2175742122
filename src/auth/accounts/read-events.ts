// The user's own log entries, a page at a time.
import type { AccessClaims } from '../../contract/claims.ts'
import type { OwnAccount } from '../ports/accounts.ts'
import type { EventRecord } from '../ports/log.ts'
import { pageOf } from '../page-of.ts'

export interface EventsPage {
  /** Newest first. */
  events: EventRecord[]
  /** The `before` of the next page; `null` where this is the last one. */
  next: string | null
}

export interface EventsQuery {
  claims: AccessClaims
  /** The id of an entry: those older than it. `null`: from the newest on. */
  before: string | null
  limit: number
}

/** Rejects with `unavailable`. */
export async function readEvents(
  { ownAccount }: { ownAccount: OwnAccount },
  { claims, before, limit }: EventsQuery,
): Promise<EventsPage> {
  const query = { userId: claims.sub, before, limit }
  const { found, next } = await pageOf(query, async (page) => await ownAccount.events(page))
  return { events: found, next }
}
