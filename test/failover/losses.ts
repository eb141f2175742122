// What was answered with success and is not there any more, from the history and what survived.
import type { Operation } from '../fault/history.ts'
import type { Survivors } from './survivors.ts'

/** Each one by its session's id. */
export interface Losses {
  /** How many sessions were logged out with success, lost or not. */
  acknowledgedLogouts: number
  logouts: ReadonlySet<string>
  logins: ReadonlySet<string>
  rotations: ReadonlySet<string>
}

/** `operations` are those that were answered before anybody took over. */
export function lossesOf(operations: readonly Operation[], { generations, denied }: Survivors): Losses {
  const loggedOut = sessionsOf(operations, 'logout')
  const lostRotations = operations.filter(({ kind, answer, sid, token }) => {
    if (kind !== 'rotate' || answer !== 200 || token?.generation == null) return false
    return (generations.get(sid ?? '') ?? -1) <= token.generation
  })
  return {
    acknowledgedLogouts: loggedOut.size,
    logouts: without(loggedOut, denied),
    logins: without(sessionsOf(operations, 'login'), generations),
    rotations: new Set(lostRotations.flatMap(({ sid }) => sid ?? [])),
  }
}

function sessionsOf(operations: readonly Operation[], kind: Operation['kind']): Set<string> {
  const done = operations.filter((operation) => operation.kind === kind && isSuccess(operation))
  return new Set(done.flatMap(({ sid }) => sid ?? []))
}

function isSuccess({ answer }: Operation): boolean {
  return answer === 200 || answer === 204
}

function without(ids: ReadonlySet<string>, there: { has: (id: string) => boolean }): Set<string> {
  return new Set([...ids].filter((id) => !there.has(id)))
}
