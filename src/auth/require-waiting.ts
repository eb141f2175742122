// Keeps what cannot be undone from being done for a caller who is gone.
import { AuthError } from './errors.ts'
import type { Caller } from './ports/caller.ts'

/** Throws `unavailable` for a caller who does not wait any more: a client that gave up has gone on elsewhere since. */
export function requireWaiting(caller: Pick<Caller, 'isWaiting'>): void {
  if (!caller.isWaiting()) throw new AuthError('unavailable')
}
