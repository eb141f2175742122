// Rules (e) and (f): every request is answered in time, and with a status of its dialect.
import type { FaultWindow, Kind, Operation } from '../history.ts'
import { isWithin } from './refusals.ts'
import { seconds, wordsOf, type Violation } from './violation.ts'

/** One that was hung has some work to catch up with. */
const WAKING_MS = 2000

const REFUSALS = [401, 403, 429, 503]

/** A 403 and a 429 are in no dialect's table for these either, but rule (d) has the better words for them. */
const ANSWERS: Record<Exclude<Kind, 'peer-check' | 'socket'>, readonly number[]> = {
  login: [200, ...REFUSALS],
  refresh: [200, ...REFUSALS],
  rotate: [200, ...REFUSALS],
  verify: [200, ...REFUSALS],
  logout: [200, 204, ...REFUSALS],
}

export function lateAnswers(operations: readonly Operation[], faults: readonly FaultWindow[]): Violation[] {
  return operations.flatMap((operation) => {
    const { at, answer, startedAt, endedAt, deadlineMs } = operation
    // How long Redis takes to answer a peer is not the service's to promise.
    if (at === 'peer' || at === 'feed') return []
    const tookMs = endedAt - startedAt
    if (answer !== 'no answer' && tookMs <= deadlineMs) return []
    const isExcused = faults.some(
      (fault) => fault.silent.includes(at) && isWithin(operation, fault, WAKING_MS),
    )
    if (isExcused) return []
    const sentence = `${wordsOf(operation)} after ${seconds(tookMs)}, the deadline being ${seconds(deadlineMs)}, while ${at} was neither hung nor killed`
    return [{ rule: 'e', sentence, operations: [operation] }]
  })
}

export function strangeAnswers(operations: readonly Operation[]): Violation[] {
  return operations.flatMap((operation) => {
    const { kind, answer } = operation
    if (
      kind === 'peer-check' ||
      kind === 'socket' ||
      answer === 'no answer' ||
      ANSWERS[kind].includes(answer)
    )
      return []
    const sentence = `${wordsOf(operation)}, which is no answer of its dialect`
    return [{ rule: 'f', sentence, operations: [operation] }]
  })
}
