// What happened in a simulated world, line by line, for a person to read.
import type { SystemLog } from '../../src/ops/log.ts'
import type { SimulatedHost } from './simulated-host.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface Trace {
  readonly isKept: boolean
  note: (who: string, what: string) => void
  /** The log of a process, as lines of the trace. */
  logOf: (host: SimulatedHost) => SystemLog
  readonly lines: readonly string[]
}

export function trace(time: VirtualTime, isKept: boolean): Trace {
  const lines: string[] = []
  const note = (who: string, what: string): void => {
    if (isKept) lines.push(`${(time.nowMs / 1000).toFixed(4).padStart(9)} ${who.padEnd(9)} ${what}`)
  }
  return {
    isKept,
    note,
    logOf: ({ name }) => {
      const tell = (level: string) => (one: object | string, message?: string) => {
        if (!isKept) return
        note(name, `${level}: ${typeof one === 'string' ? one : `${message ?? ''} ${JSON.stringify(one)}`}`)
      }
      return { debug: tell('debug'), info: tell('info'), warn: tell('warn'), error: tell('error') }
    },
    lines,
  }
}
