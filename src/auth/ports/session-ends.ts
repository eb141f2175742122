// How sessions end: for which reasons, and many of one user at a time.
import type { Denial } from './denials.ts'

export type EndReason =
  | 'logout'
  | 'logout_all'
  | 'revoked'
  | 'replaced'
  | 'refresh_reuse'
  | 'too_many_sessions'
  | 'password_changed'
  | 'role_changed'
  | 'user_disabled'
  | 'user_deleted'

/** Sessions that have ended together, in one commit with their journal rows: few enough that it takes no long time. */
export interface EndedBatch {
  denials: Denial[]
  /** Whether that was all: of the sessions that were on when the batch began, none is left that was meant. */
  isLast: boolean
}

export interface EndingOfUser {
  userId: string
  reason: EndReason
  /** This one goes on. */
  keepSessionId?: string
}
