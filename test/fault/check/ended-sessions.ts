// Rules (a) and (b): what was logged out stays out, at once where it was answered, soon after everywhere.
import type { Bounds, Operation } from '../history.ts'
import { acceptedAt, isAccepted, seconds, wordsOf, type Violation } from './violation.ts'

/** Beyond the lease: what a round of the relay and this machine may add. */
const MARGIN_MS = 1000

/** `session` is all operations of one session. */
export function endedSessions(session: readonly Operation[], bounds: Bounds): Violation[] {
  const logouts = session.filter(isAcknowledgedLogout)
  if (logouts.length === 0) return []
  return session.flatMap((operation) => {
    const isOpen = operation.kind === 'socket'
    if (!isOpen && (!isAccepted(operation) || isPastPeersConcern(operation, bounds))) return []
    const forgotten = logouts.find(
      (logout) => acceptedAt(operation) > logout.endedAt + boundOf(logout, operation),
    )
    return forgotten ? [violation(operation, forgotten)] : []
  })

  function boundOf(logout: Operation, operation: Operation): number {
    return operation.at === logout.at ? 0 : bounds.leaseMs + MARGIN_MS
  }
}

function isAcknowledgedLogout({ kind, answer }: Operation): boolean {
  return kind === 'logout' && typeof answer === 'number' && answer >= 200 && answer < 300
}

/** A peer looks at the expiry by itself; Redis need not know of a token that has died of age. */
function isPastPeersConcern({ at, token, endedAt }: Operation, { leewayMs }: Bounds): boolean {
  return at === 'peer' && token !== null && endedAt >= token.expiresAt + leewayMs
}

function violation(operation: Operation, logout: Operation): Violation {
  const isElsewhere = operation.at !== logout.at
  const isAccess = operation.token?.type === 'access'
  const after = seconds(acceptedAt(operation) - logout.endedAt)
  const age = operation.token ? seconds(acceptedAt(operation) - operation.token.expiresAt) : 'unknown'
  return {
    rule: isElsewhere && isAccess ? 'b' : 'a',
    sentence: `${wordsOf(operation)} though ${logout.at} had acknowledged its logout ${after} before (token: ${age} past its expiry)`,
    operations: [operation, logout],
  }
}
