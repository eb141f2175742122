// The user's own live sessions, a page at a time.
import type { AccessClaims } from '../contract/claims.ts'
import type { SessionSummary, Sessions } from './ports/sessions.ts'

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
  // One more than asked for tells whether there is a next page.
  const found = await store.list({ userId: claims.sub, before, limit: limit + 1 })
  const sessions = found.slice(0, limit)
  return { sessions, next: found.length > limit ? (sessions.at(-1)?.id ?? null) : null }
}
