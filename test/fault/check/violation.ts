// What the checker finds, and the words it finds it in.
import type { Operation, RunTime } from '../history.ts'

/** The letters of docs/promise.md. */
export type Rule = 'a' | 'b' | 'c' | 'd' | 'e' | 'f'

export interface Violation {
  rule: Rule
  /** What happened, for a person. */
  sentence: string
  /** Those that prove it, the offending one first. */
  operations: readonly Operation[]
}

/** `refresh at two (gen 3) → 200`. */
export function wordsOf({ kind, at, token, answer }: Operation): string {
  const generation = token?.generation == null ? '' : ` (gen ${token.generation})`
  const type = kind === 'verify' && token ? ` of ${token.type} token` : ''
  return `${kind}${type} at ${at}${generation} → ${answer}`
}

/** The last moment at which it is known to have been taken for good: a socket is, for as long as it is open. */
export function acceptedAt({ kind, startedAt, endedAt }: Operation): RunTime {
  return kind === 'socket' ? endedAt : startedAt
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

/** Whether the token behind it was taken for good. */
export function isAccepted({ kind, answer }: Operation): boolean {
  return answer === 200 && kind !== 'login' && kind !== 'logout' && kind !== 'socket'
}
