// Proves, from a history alone, that every promise was kept, or says which was not.
import { lateAnswers, strangeAnswers } from './check/answers.ts'
import { endedSessions } from './check/ended-sessions.ts'
import { generations } from './check/generations.ts'
import { outlived, refusedLogins, strayUncertainty, wrongRefusals } from './check/refusals.ts'
import type { Violation } from './check/violation.ts'
import type { History, Operation } from './history.ts'

/**
 * The violations in the order in which they happened. A history that is still growing may lack what excuses
 * its latest operations: look only at those that ended before everything under way began.
 */
export function checkHistory(history: History): Violation[] {
  const { operations, faults, bounds } = history
  const violations = [
    ...bySession(operations).flatMap((session) => [
      ...endedSessions(session, bounds),
      ...generations(session, bounds),
      ...wrongRefusals(session, bounds),
      ...strayUncertainty(session, { faults, bounds }),
    ]),
    ...strayUncertainty(ofNoSession(operations), { faults, bounds }),
    ...refusedLogins(operations),
    ...outlived(operations, bounds),
    ...lateAnswers(operations, faults),
    ...strangeAnswers(operations),
  ]
  return violations.sort((left, right) => timeOf(left) - timeOf(right))
}

function bySession(operations: readonly Operation[]): Operation[][] {
  const sessions = new Map<string, Operation[]>()
  for (const operation of operations) {
    if (operation.sid === null) continue
    const session = sessions.get(operation.sid)
    if (session) session.push(operation)
    else sessions.set(operation.sid, [operation])
  }
  return [...sessions.values()]
}

/** Logins that were not answered with one. */
function ofNoSession(operations: readonly Operation[]): Operation[] {
  return operations.filter(({ sid }) => sid === null)
}

/** When the offending operation ended. */
export function timeOf({ operations }: Violation): number {
  return operations[0]?.endedAt ?? 0
}
