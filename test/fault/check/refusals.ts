// Rule (d): what nobody wanted over is not refused; "cannot tell" is for times of trouble; age ends what nothing else does.
import type { Actor, Bounds, FaultWindow, Operation, RunTime, TokenRecord } from '../history.ts'
import { mayBeReuse } from './generations.ts'
import { isAccepted, seconds, wordsOf, type Violation } from './violation.ts'

/** Tokens count in whole seconds, and a request takes its time. */
const EXPIRY_MARGIN_MS = 1500

/** `session` is all operations of one session. */
export function wrongRefusals(session: readonly Operation[], bounds: Bounds): Violation[] {
  const endings = session.filter((operation) => mayEnd(operation, session, bounds))
  return session.filter(isRefused).flatMap((operation) => {
    const isAged =
      operation.token !== null && operation.endedAt > lastUseOf(operation, operation.token, bounds)
    // A verify of a used-up token is refused, and ends nothing.
    const isUsedUp = operation.kind === 'verify' && mayBeReuse(operation, session, bounds)
    const isOver = endings.some((ending) => isEndedBy(operation, ending))
    if (isAged || isUsedUp || isOver) return []
    const sentence = `${wordsOf(operation)} though nobody had asked to end the session and the token was alive`
    return [{ rule: 'd', sentence, operations: [operation] }]
  })
}

/**
 * Up to when the token cannot have been refused for its age alone. A refresh that would bring an access token with
 * no time left is refused, by the clock of the instance; anything else goes on for the leeway, which is more than that
 * clock is ahead.
 */
function lastUseOf({ kind }: Operation, { expiresAt }: TokenRecord, { skewMs }: Bounds): RunTime {
  const isRefresh = kind === 'refresh' || kind === 'rotate'
  return isRefresh ? expiresAt - skewMs - EXPIRY_MARGIN_MS : expiresAt
}

export function refusedLogins(operations: readonly Operation[]): Violation[] {
  return operations
    .filter((operation) => operation.kind === 'login' && isRefused(operation))
    .map((operation) => ({
      rule: 'd',
      sentence: `${wordsOf(operation)} with the right password`,
      operations: [operation],
    }))
}

/** `session` is all operations of one session, or what belongs to none. */
export function strayUncertainty(
  session: readonly Operation[],
  { faults, bounds }: { faults: readonly FaultWindow[]; bounds: Bounds },
): Violation[] {
  return session.flatMap((operation) => {
    const { at, answer } = operation
    if (answer !== 503 && !(at === 'peer' && answer === 'no answer')) return []
    // What ends with it is not known any more is a socket, however long it was open.
    const said = operation.kind === 'socket' ? { ...operation, startedAt: operation.endedAt } : operation
    if (faults.some((fault) => mayConfuse(fault, at) && isWithin(said, fault, bounds.settleMs))) return []
    if (at === 'feed' && isDoubleFault(said, faults, bounds)) return []
    if (mayEnd(operation, session, bounds) && isNewcomers(operation, faults, bounds)) return []
    const sentence = `${wordsOf(operation)} though no fault concerned ${at}`
    return [{ rule: 'd', sentence, operations: [operation] }]
  })
}

/** A replica is promised to know under any single fault; of what one leaves behind, the next one is the second. */
function isDoubleFault(operation: Operation, faults: readonly FaultWindow[], bounds: Bounds): boolean {
  const quietMs = bounds.settleMs + bounds.leaseMs
  return faults.filter((fault) => isWithin(operation, fault, quietMs)).length > 1
}

/** An instance that was away, and has not reached Redis since it is back, cannot vouch for the end of a session. */
function isNewcomers(operation: Operation, faults: readonly FaultWindow[], bounds: Bounds): boolean {
  const ofRedis = faults.filter(
    (fault) => fault.name.includes('Redis') && isWithin(operation, fault, bounds.settleMs),
  )
  return ofRedis.some((redis) =>
    faults.some(
      (away) =>
        isAwayBy(away, operation.at) &&
        away.startedAt <= operation.endedAt &&
        (away.endedAt ?? Infinity) + bounds.settleMs >= redis.startedAt,
    ),
  )
}

/** Killed, hung, or not heard of by the others, who talk through Postgres. */
function isAwayBy({ name, silent, cannotTell }: FaultWindow, actor: Actor): boolean {
  if (silent.some((instance) => instance === actor)) return true
  return name.includes('Postgres') && cannotTell.includes(actor)
}

export function outlived(operations: readonly Operation[], bounds: Bounds): Violation[] {
  return operations.flatMap((operation) => {
    const { at, token, startedAt } = operation
    if (!token || at === 'peer' || !isAccepted(operation)) return []
    const age = startedAt - token.expiresAt
    if (age <= bounds.leewayMs + bounds.skewMs + EXPIRY_MARGIN_MS) return []
    const sentence = `${wordsOf(operation)} though the token had expired ${seconds(age)} before`
    return [{ rule: 'd', sentence, operations: [operation] }]
  })
}

/** Whether the two overlap, the fault lasting `afterMs` longer than it did. */
export function isWithin(operation: Operation, fault: FaultWindow, afterMs: number): boolean {
  const end = fault.endedAt === null ? Infinity : fault.endedAt + afterMs
  return operation.startedAt <= end && operation.endedAt >= fault.startedAt
}

function mayConfuse(fault: FaultWindow, actor: Actor): boolean {
  return fault.cannotTell.includes(actor)
}

function isRefused({ answer }: Operation): boolean {
  return answer === 401 || answer === 403 || answer === 429
}

/** Whether it is to end the session, or may have looked like a theft, which ends it too. */
function mayEnd(operation: Operation, session: readonly Operation[], bounds: Bounds): boolean {
  return operation.kind === 'logout' || (isPresented(operation) && mayBeReuse(operation, session, bounds))
}

/** A refresh token that is presented for verification is looked at, no more. */
function isPresented({ kind }: Operation): boolean {
  return kind === 'refresh' || kind === 'rotate'
}

/** A logout that is refused has not ended anything itself; a reuse has. */
function isEndedBy(operation: Operation, ending: Operation): boolean {
  if (ending.startedAt >= operation.endedAt) return false
  return ending !== operation || operation.kind !== 'logout'
}
