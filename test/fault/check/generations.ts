// Rule (c): a generation is spent once, whoever asks, and is worthless when its grace is over, but for one late replay.
import type { Bounds, Operation } from '../history.ts'
import { isAccepted, seconds, wordsOf, type Violation } from './violation.ts'

/** `session` is all operations of one session. */
export function generations(session: readonly Operation[], bounds: Bounds): Violation[] {
  const rotations = session.filter(({ kind, answer }) => kind === 'rotate' && answer === 200)
  if (rotations.length === 0) return []
  return [
    ...twoSuccessors(rotations),
    ...session
      .filter((operation) => !mayBeLateReplay(operation, session, bounds))
      .filter((operation) => !isReadAfterReplay(operation, session, bounds))
      .flatMap((operation) => usedUp(operation, rotations, bounds)),
  ]
}

function twoSuccessors(rotations: readonly Operation[]): Violation[] {
  const first = new Map<number, Operation>()
  return rotations.flatMap((rotation) => {
    const generation = generationOf(rotation)
    const before = first.get(generation)
    if (!before) {
      first.set(generation, rotation)
      return []
    }
    if (before.successor === rotation.successor) return []
    const sentence = `generation ${generation} was spent twice: ${wordsOf(before)} and ${wordsOf(rotation)} brought different successors`
    return [{ rule: 'c', sentence, operations: [rotation, before] }]
  })
}

function usedUp(operation: Operation, rotations: readonly Operation[], { graceMs }: Bounds): Violation[] {
  const generation = generationOf(operation)
  if (!isAccepted(operation) || operation.token?.type !== 'refresh' || generation < 0) return []
  const proof = rotations.find((rotation) => {
    const spent = generationOf(rotation)
    // Its successor was spent too: then no grace is left. Else it began, at the latest, with that answer.
    const deadline = spent > generation ? rotation.endedAt : rotation.endedAt + graceMs
    return spent >= generation && operation.startedAt > deadline
  })
  if (!proof) return []
  const age = seconds(operation.startedAt - proof.endedAt)
  const sentence = `${wordsOf(operation)}, ${age} after ${wordsOf(proof)} had used it up`
  return [{ rule: 'c', sentence, operations: [operation, proof] }]
}

/**
 * Whether it is the late replay that a session has once a day, or another one within the grace of that, or a read of
 * the token while that replay is still to be had: the successor was lost, and nobody had been answered with that one
 * before. Runs are shorter than a day.
 */
function mayBeLateReplay(operation: Operation, session: readonly Operation[], { graceMs }: Bounds): boolean {
  const generation = generationOf(operation)
  const successors = new Set([operation.successor, ...successorsOf(generation, session)])
  const isKnown = session.some(
    (other) =>
      other.token !== null &&
      successors.has(other.token.digest) &&
      isAccepted(other) &&
      other.endedAt < operation.startedAt,
  )
  const isOfAnother = session.some((other) => {
    if (other === operation || other.kind !== 'rotate' || other.answer !== 200) return false
    const isBefore = other.endedAt < operation.startedAt - graceMs
    return isBefore && isLate(other, session, graceMs)
  })
  return generation >= 0 && !isKnown && !isOfAnother
}

/** The digests of the tokens that rotations of this generation brought. */
function successorsOf(generation: number, session: readonly Operation[]): (string | null)[] {
  const rotations = session.filter(({ kind, answer }) => kind === 'rotate' && answer === 200)
  return rotations
    .filter((rotation) => generationOf(rotation) === generation)
    .map(({ successor }) => successor)
}

/** Whether it only read, within the grace of a late replay: for as long that token is the one before, once more. */
function isReadAfterReplay(
  operation: Operation,
  session: readonly Operation[],
  { graceMs }: Bounds,
): boolean {
  if (operation.kind === 'rotate') return false
  return session.some((replay) => {
    if (replay.kind !== 'rotate' || replay.answer === 401) return false
    if (generationOf(replay) !== generationOf(operation) || !isLate(replay, session, graceMs)) return false
    return operation.endedAt > replay.startedAt && operation.startedAt <= replay.endedAt + graceMs
  })
}

/** Whether it came after the grace of the first rotation of its generation, whatever became of that. */
function isLate(operation: Operation, session: readonly Operation[], graceMs: number): boolean {
  return session.some(
    (first) =>
      first.kind === 'rotate' &&
      first.answer === 200 &&
      generationOf(first) === generationOf(operation) &&
      operation.startedAt > first.endedAt + graceMs,
  )
}

/**
 * Whether presenting this one may have looked like a theft to the service, which ends the session then.
 * Rotations that were not answered may have happened.
 */
export function mayBeReuse(
  operation: Operation,
  session: readonly Operation[],
  { graceMs }: Bounds,
): boolean {
  const generation = generationOf(operation)
  if (generation < 0 || operation.token?.type !== 'refresh') return false
  return session.some((rotation) => {
    if (rotation.kind !== 'rotate' || rotation === operation) return false
    const spent = generationOf(rotation)
    if (spent > generation) return rotation.startedAt < operation.endedAt
    return spent === generation && operation.endedAt > rotation.startedAt + graceMs
  })
}

/** `-1` where there is none. */
function generationOf({ token }: Operation): number {
  return token?.generation ?? -1
}
