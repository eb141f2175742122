// What a run did and was answered: every operation and fault with its times, kept as JSON lines.
import { readFileSync, writeFileSync } from 'node:fs'

export const INSTANCES = ['one', 'two'] as const
export type InstanceName = (typeof INSTANCES)[number]
/**
 * Who answered: an instance; the test's own Redis peer, which asks Redis and no instance; or its feed peer, which
 * asks nobody.
 */
export type Actor = InstanceName | 'peer' | 'feed'

/** A `socket` begins when it is opened and ends when the peer or, after long, the client closes it. */
export type Kind = 'login' | 'refresh' | 'rotate' | 'logout' | 'verify' | 'peer-check' | 'socket'

/** Milliseconds since 1970 by the one clock of the run, which only moves forward. */
export type RunTime = number

/** A token, without what could be used: a digest tells two of them apart, byte for byte. */
export interface TokenRecord {
  digest: string
  type: 'access' | 'refresh'
  /** `null` where the token has none. */
  generation: number | null
  /** Its `exp`. */
  expiresAt: RunTime
}

export interface Operation {
  kind: Kind
  at: Actor
  client: string
  /** `null` for a login that was not answered with a session. */
  sid: string | null
  /** What was presented; `null` for a login. */
  token: TokenRecord | null
  /** The digest of the refresh token that a rotation brought. */
  successor: string | null
  /** The HTTP status. What a peer makes of Redis: 200 live, 401 denied, 503 cannot tell. */
  answer: number | 'no answer'
  startedAt: RunTime
  endedAt: RunTime
  /** How long the answer may take at the most. */
  deadlineMs: number
}

export interface FaultWindow {
  name: string
  startedAt: RunTime
  /** When all was well again; `null` while it is not. */
  endedAt: RunTime | null
  /** Who may answer "cannot tell" because of it. */
  cannotTell: readonly Actor[]
  /** Who may answer late or not at all because of it. */
  silent: readonly InstanceName[]
}

/** What the run promised itself, in milliseconds. */
export interface Bounds {
  leaseMs: number
  /** Of rotation. */
  graceMs: number
  leewayMs: number
  /** How far an instance's clock was shifted at the most. */
  skewMs: number
  /** For how long after a fault "cannot tell" may still be answered. */
  settleMs: number
}

export interface History {
  bounds: Bounds
  operations: Operation[]
  faults: FaultWindow[]
}

type Line = { bounds: Bounds } | { operation: Operation } | { fault: FaultWindow }

/** One line for the bounds, one for each fault and each operation. */
export function writeHistory(file: string, { bounds, operations, faults }: History): void {
  const lines: Line[] = [
    { bounds },
    ...faults.map((fault) => ({ fault })),
    ...operations.map((operation) => ({ operation })),
  ]
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** Throws where the file has no bounds or is no history. */
export function readHistory(file: string): History {
  const operations: Operation[] = []
  const faults: FaultWindow[] = []
  let bounds: Bounds | null = null
  for (const text of readFileSync(file, 'utf8').trimEnd().split('\n')) {
    const line = JSON.parse(text) as Line
    if ('operation' in line) operations.push(line.operation)
    else if ('fault' in line) faults.push(line.fault)
    else ({ bounds } = line)
  }
  if (!bounds) throw new Error(`${file} says nothing of the bounds of its run`)
  return { bounds, operations, faults }
}
