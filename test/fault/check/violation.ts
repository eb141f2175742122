// What the checker finds, and the words it finds it in.
import type { Operation } from '../history.ts'

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

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}

/** Whether the token behind it was taken for good. */
export function isAccepted({ kind, answer }: Operation): boolean {
  return answer === 200 && kind !== 'login' && kind !== 'logout'
}
