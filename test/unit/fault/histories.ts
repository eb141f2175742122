// Small histories, written by hand: one session, unless said otherwise.
import { checkHistory } from '../../fault/check-history.ts'
import type { Bounds, FaultWindow, History, Operation, TokenRecord } from '../../fault/history.ts'

export const BOUNDS: Bounds = {
  leaseMs: 5000,
  graceMs: 4000,
  leewayMs: 4000,
  skewMs: 2000,
  settleMs: 5000,
}

const EXPIRY = 60_000

export const ACCESS: TokenRecord = { digest: 'access', type: 'access', generation: null, expiresAt: EXPIRY }
export const REFRESH: TokenRecord = { ...ACCESS, digest: 'refresh', type: 'refresh' }
export const generation = (number: number): TokenRecord => ({
  ...REFRESH,
  digest: `refresh-${number}`,
  generation: number,
})

/** Asked of instance one at `startedAt`, and answered 200 after 10 ms, unless `more` says otherwise. */
export function operation(
  kind: Operation['kind'],
  startedAt: number,
  more: Partial<Operation> = {},
): Operation {
  return {
    kind,
    at: kind === 'peer-check' ? 'peer' : 'one',
    client: 'client',
    sid: 'session',
    token: kind === 'peer-check' ? ACCESS : REFRESH,
    successor: null,
    answer: 200,
    startedAt,
    endedAt: startedAt + 10,
    deadlineMs: 2000,
    ...more,
  }
}

export function fault(
  startedAt: number,
  endedAt: number | null,
  more: Partial<FaultWindow> = {},
): FaultWindow {
  return { name: 'a fault', startedAt, endedAt, cannotTell: [], silent: [], ...more }
}

/** The rules that are broken, each as often as it is. */
export function brokenRules(operations: Operation[], faults: FaultWindow[] = []): string {
  const history: History = { bounds: BOUNDS, operations, faults }
  return checkHistory(history)
    .map(({ rule }) => rule)
    .join('')
}
