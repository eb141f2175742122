// Takes down what happens while it happens.
import type { Bounds, FaultWindow, History, Operation, RunTime } from './history.ts'

export type About = Pick<Operation, 'kind' | 'at' | 'client' | 'sid' | 'token' | 'deadlineMs'>
export type Outcome = Pick<Operation, 'answer'> & Partial<Pick<Operation, 'sid' | 'successor'>>

export interface Recorder {
  history: History
  /** Runs `work`, which must not reject, and keeps how it went. */
  record: (about: About, work: () => Promise<Outcome>) => Promise<Operation>
  /** Keeps one that has come to its end. */
  keep: (operation: Omit<Operation, 'successor' | 'endedAt'>) => void
  /** Begins a window; `endedAt` is the caller's to set. */
  fault: (about: Omit<FaultWindow, 'startedAt' | 'endedAt'>) => FaultWindow
  /** Everything that began before this has ended, so that nothing can excuse it any more. */
  completeUpTo: () => RunTime
}

/** Near the clocks of the servers, but never set back. */
export function runTime(): RunTime {
  return performance.timeOrigin + performance.now()
}

export function recorder(bounds: Bounds): Recorder {
  const history: History = { bounds, operations: [], faults: [] }
  const underWay = new Set<RunTime>()

  return {
    history,

    record: async (about, work) => {
      const startedAt = runTime()
      underWay.add(startedAt)
      const outcome = await work()
      underWay.delete(startedAt)
      const operation = { successor: null, ...about, ...outcome, startedAt, endedAt: runTime() }
      history.operations.push(operation)
      return operation
    },

    keep: (operation) => {
      history.operations.push({ ...operation, successor: null, endedAt: runTime() })
    },

    fault: (about) => {
      const window: FaultWindow = { ...about, startedAt: runTime(), endedAt: null }
      history.faults.push(window)
      return window
    },

    completeUpTo: () => Math.min(runTime(), ...underWay),
  }
}
