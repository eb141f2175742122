// What the record of a failover proves: figures, and every promise that was not kept.
import { checkHistory } from '../fault/check-history.ts'
import type { Violation } from '../fault/check/violation.ts'
import type { FailoverRun } from './run-failover.ts'
import { answersByPhase, type AnswersByPhase } from './answers.ts'
import type { Mode } from './options.ts'

export interface Verdict {
  mode: Mode
  seconds: {
    /** Replication was held back before the kill. */
    heldBack: number
    /** From the kill to a primary that takes writes. */
    withoutPrimary: number
    /** From the kill to the first logout that was answered with success. */
    untilLogout: number | null
    /** From the new primary to both instances ready, and every watermark there. */
    untilReady: number
    /** From the new primary to the old one as its replica. */
    untilRejoined: number
  }
  answers: AnswersByPhase
  /** By Postgres. */
  lost: { logouts: number; ofLogouts: number; logins: number; rotations: number }
  /** Of the lost logouts, those whose session was taken again, later than the promise allows, and how often. */
  acceptedAgain: { sessions: number; times: number; where: Record<string, number> }
  mended: {
    /** Of the lost logouts, those in the journal again. */
    logouts: number
    byReason: Record<string, number>
    /** After the new primary took writes. */
    secondsToFirst: number | null
    secondsToLast: number | null
    /** Before Redis was emptied. */
    beforeRedisWasEmptied: number
    openSessions: number
    /** By label of `signoff_denylist_repaired_total`. */
    repaired: Record<string, number>
  }
  /** By rule, the letters of docs/promise.md and this command's own. */
  violations: Record<string, Broken[]>
}

export interface Broken {
  sentence: string
  sid: string | null
}

export function judge(run: FailoverRun, mode: Mode): Verdict {
  const { history, losses, mended } = run
  const found = checkHistory(history)
  const again = found.filter((violation) => isOfLostLogout(violation, run))
  return {
    mode,
    seconds: secondsOf(run),
    answers: answersByPhase(history.operations, run.times),
    lost: {
      logouts: losses.logouts.size,
      ofLogouts: losses.acknowledgedLogouts,
      logins: losses.logins.size,
      rotations: losses.rotations.size,
    },
    acceptedAgain: {
      sessions: new Set(again.map(sidOf)).size,
      times: again.length,
      where: countBy(again, ({ operations: [first] }) => `${first?.kind ?? ''} at ${first?.at ?? ''}`),
    },
    mended: {
      ...returns(run),
      openSessions: mended.openSessions,
      repaired: mended.repaired,
    },
    violations: byRule([
      ...ofFailover(run, mode).map((sentence) => ({ rule: 'failover', sentence, sid: null })),
      ...found
        .filter((violation) => isCounted(violation, run))
        .map((violation) => ({ rule: violation.rule, sentence: violation.sentence, sid: sidOf(violation) })),
    ]),
  }
}

/** Rules of this command's own. */
function ofFailover({ losses, mended }: FailoverRun, mode: Mode): string[] {
  const { logouts, logins, rotations } = losses
  const lost = logouts.size + logins.size + rotations.size
  const missing = logouts.size - mended.returned.size
  return [
    ...(mode === 'sync' && lost > 0 ? [`a synchronous failover lost ${lost} answered changes`] : []),
    ...(mode === 'async' && logouts.size === 0 ? ['no logout was lost: this run proves nothing'] : []),
    ...(missing > 0 ? [`${missing} lost logouts never came back into the journal`] : []),
    ...(mended.openSessions > 0
      ? [`${mended.openSessions} sessions whose logout was lost have a row that is not ended`]
      : []),
  ]
}

/**
 * A login or rotation that an asynchronous Postgres has lost is nobody's promise. Answers that are late, or that
 * nobody can tell, are figures here: how many there are depends on the machine.
 */
function isCounted(violation: Violation, { losses }: FailoverRun): boolean {
  const { rule, operations } = violation
  const answer = operations[0]?.answer
  if (rule === 'e' || (rule === 'd' && (answer === 503 || answer === 'no answer'))) return false
  const sid = sidOf(violation) ?? ''
  const isOfLost = losses.logins.has(sid) || losses.rotations.has(sid)
  return !(isOfLost && (rule === 'c' || rule === 'd'))
}

function byRule(violations: readonly (Broken & { rule: string })[]): Verdict['violations'] {
  const broken: Verdict['violations'] = {}
  for (const { rule, ...violation } of violations) (broken[rule] ??= []).push(violation)
  return broken
}

function isOfLostLogout(violation: Violation, { losses }: FailoverRun): boolean {
  return (violation.rule === 'a' || violation.rule === 'b') && losses.logouts.has(sidOf(violation) ?? '')
}

function secondsOf({ times, history }: FailoverRun): Verdict['seconds'] {
  const { heldBackAt, killedAt, writableAt, readyAt, rejoinedAt } = times
  const logouts = history.operations.filter(
    ({ kind, answer, startedAt }) =>
      kind === 'logout' && (answer === 200 || answer === 204) && startedAt > killedAt,
  )
  const firstLogoutAt = Math.min(...logouts.map(({ endedAt }) => endedAt))
  return {
    heldBack: secondsBetween(heldBackAt, killedAt),
    withoutPrimary: secondsBetween(killedAt, writableAt),
    untilLogout: logouts.length > 0 ? secondsBetween(killedAt, firstLogoutAt) : null,
    untilReady: secondsBetween(writableAt, readyAt),
    untilRejoined: secondsBetween(writableAt, rejoinedAt),
  }
}

function returns({ mended, times }: FailoverRun) {
  const all = [...mended.returned.values()]
  const after = all.map(({ at }) => secondsBetween(times.writableAt, at))
  return {
    logouts: all.length,
    byReason: countBy(all, ({ reason }) => reason),
    secondsToFirst: all.length > 0 ? Math.min(...after) : null,
    secondsToLast: all.length > 0 ? Math.max(...after) : null,
    beforeRedisWasEmptied: all.filter(({ at }) => at < times.emptiedAt).length,
  }
}

function secondsBetween(from: number, to: number): number {
  return Math.round((to - from) / 100) / 10
}

function sidOf({ operations: [first] }: Violation): string | null {
  return first?.sid ?? null
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counted: Record<string, number> = {}
  for (const item of items) counted[keyOf(item)] = (counted[keyOf(item)] ?? 0) + 1
  return counted
}
