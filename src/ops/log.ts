// The system log: JSON lines on standard output.
import { pino } from 'pino'

/** What the rest of the program needs of it. */
export interface SystemLog {
  debug: LogMethod
  info: LogMethod
  warn: LogMethod
  error: LogMethod
}

interface LogMethod {
  (message: string): void
  (fields: object, message: string): void
}

export function systemLog(level: string): SystemLog {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  })
}
