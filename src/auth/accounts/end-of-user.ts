// Ends the sessions of one user a batch at a time: each is durable, and told, before the next one begins.
import type { Caller } from '../ports/caller.ts'
import type { Denial } from '../ports/denials.ts'
import type { EndedBatch, EndingOfUser } from '../ports/session-ends.ts'
import type { Sessions } from '../ports/sessions.ts'

export interface EndOfUserDeps {
  sessions: Pick<Sessions, 'endOfUser'>
  /** Rejects where that is not to be acknowledged. */
  tell: (denials: Denial[]) => Promise<void>
  caller: Pick<Caller, 'noteProgress'>
}

/**
 * Resolves to the number of them, once none is left of those that were on when this was called. One that a fresh login
 * begins meanwhile may end with them or go on: nobody was promised either. Where this rejects, some may have ended,
 * and the same can be asked again.
 */
export async function endOfUser({ sessions, ...deps }: EndOfUserDeps, ending: EndingOfUser): Promise<number> {
  return await eachBatch(deps, async () => await sessions.endOfUser(ending))
}

/** Asks for batch after batch, up to the last one. Resolves to the number of denials. */
export async function eachBatch(
  { tell, caller }: Omit<EndOfUserDeps, 'sessions'>,
  next: () => Promise<EndedBatch>,
): Promise<number> {
  let count = 0
  for (;;) {
    const { denials, isLast } = await next()
    if (denials.length > 0) await tell(denials)
    count += denials.length
    if (isLast) return count
    caller.noteProgress()
  }
}
