// What a person reads of a run.
import type { Campaign } from './campaign.ts'
import type { History, Operation } from './history.ts'

const FIRST = 10

/** Faults by kind, operations by kind and answer, and the first violations in words. */
export function report({ history, violations }: Campaign): string {
  const rules = counts(violations, ({ rule }) => `(${rule})`)
  const lines = [
    `Faults injected: ${history.faults.length}`,
    ...table(counts(history.faults, ({ name }) => name)),
    `Operations: ${history.operations.length}`,
    ...table(counts(history.operations, describe)),
    `Violations: ${violations.length}${violations.length > 0 ? ', by rule:' : ''}`,
    ...table(rules),
    ...violations.slice(0, FIRST).map((violation) => {
      const [{ sid, startedAt } = { sid: null, startedAt: 0 }] = violation.operations
      const time = new Date(startedAt).toISOString().slice(11, 23)
      return `  (${violation.rule}) ${time} ${sid ?? ''} ${violation.sentence}`
    }),
  ]
  return `${lines.join('\n')}\n`
}

/** One line while it runs. */
export function progress({ operations, faults }: History): string {
  const latest = faults.filter(({ endedAt }) => endedAt === null).map(({ name }) => name)
  const now = latest.length > 0 ? latest.join(' + ') : 'no fault'
  return `${operations.length} operations, ${faults.length} faults; now: ${now}`
}

function describe({ kind, at, answer }: Operation): string {
  const isPeer = at === 'peer' || at === 'feed'
  return isPeer ? `${kind} (${at}) ${peerWord(kind, answer)}` : `${kind} → ${answer}`
}

function peerWord(kind: Operation['kind'], answer: Operation['answer']): string {
  if (kind === 'socket' && answer === 200) return '→ open to the end'
  return { 200: '→ live', 401: '→ denied', 503: '→ cannot tell' }[Number(answer)] ?? '→ no answer'
}

function counts<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counted = new Map<string, number>()
  for (const item of items) counted.set(keyOf(item), (counted.get(keyOf(item)) ?? 0) + 1)
  return new Map([...counted].sort(([left], [right]) => left.localeCompare(right)))
}

function table(counted: Map<string, number>): string[] {
  return [...counted].map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`)
}
