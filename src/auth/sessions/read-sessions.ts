// The user's own live sessions, a page at a time.
import type { AccessClaims } from '../../contract/claims.ts'
import type { SessionSummary, Sessions } from '../ports/sessions.ts'
import { pageOf } from '../page-of.ts'

export interface SessionsPage {
  /** Newest first. */
  sessions: SessionSummary[]
  /** The `before` of the next page; `null` where this is the last one. */
  next: string | null
}

export interface SessionsQuery {
  claims: AccessClaims
  /** The id of a session: those that began before it. `null`: from the newest on. */
  before: string | null
  limit: number
}

/** Rejects with `unavailable`. */
export async function readSessions(
  { sessions: store }: { sessions: Pick<Sessions, 'list'> },
  { claims, before, limit }: SessionsQuery,
): Promise<SessionsPage> {
  const query = { userId: claims.sub, before, limit }
  const { found, next } = await pageOf(query, async (page) => await store.list(page))
  return { sessions: found, next }
}
