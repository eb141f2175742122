// What was answered, by kind and answer, before, during and after the failover.
import type { Operation } from '../fault/history.ts'
import type { FailoverTimes } from './run-failover.ts'

export const PHASES = ['before', 'held back', 'no primary', 'after', 'emptied'] as const
export type Phase = (typeof PHASES)[number]

/** Such as `refresh`, then such as `503`. */
export type AnswersByPhase = Record<string, Record<string, Record<Phase, number>>>

const NONE: Record<Phase, number> = { before: 0, 'held back': 0, 'no primary': 0, after: 0, emptied: 0 }

/** A call counts where it was answered. */
export function answersByPhase(operations: readonly Operation[], times: FailoverTimes): AnswersByPhase {
  const answers: AnswersByPhase = {}
  for (const operation of operations) {
    const ofKind = (answers[kindOf(operation)] ??= {})
    const counts = (ofKind[answerOf(operation)] ??= { ...NONE })
    counts[phaseOf(operation, times)] += 1
  }
  return answers
}

function kindOf({ kind, at }: Operation): string {
  if (kind === 'peer-check') return at === 'feed' ? 'check by a feed peer' : 'check by MGET'
  return kind === 'socket' ? 'WebSocket of a feed peer' : kind
}

function answerOf({ kind, answer }: Operation): string {
  if (kind === 'socket')
    return { 200: 'open to the end', 401: 'closed: denied' }[Number(answer)] ?? 'closed: cannot tell'
  if (kind !== 'peer-check') return String(answer)
  return { 200: 'live', 401: 'denied', 503: 'cannot tell' }[Number(answer)] ?? 'no answer'
}

function phaseOf(
  { endedAt }: Operation,
  { heldBackAt, killedAt, writableAt, emptiedAt }: FailoverTimes,
): Phase {
  if (endedAt < heldBackAt) return 'before'
  if (endedAt < killedAt) return 'held back'
  if (endedAt < writableAt) return 'no primary'
  return endedAt < emptiedAt ? 'after' : 'emptied'
}
