// The system log: JSON lines on standard output.
import { pino, stdSerializers } from 'pino'

/** The rest of the program needs no more of the log than this. */
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

/** For callers that tell of what fails by themselves. */
export const silentLog: SystemLog = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** Lines that cannot be written wait up to this much, then the newest are dropped. */
const MAX_BUFFERED_BYTES = 1_048_576

export function systemLog(level: string): SystemLog {
  const destination = pino.destination({ dest: 1, sync: true, maxLength: MAX_BUFFERED_BYTES })
  // A full disk or a closed pipe costs lines, not the service.
  destination.on('error', () => undefined)
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: withoutSecrets },
    },
    destination,
  )
}

/** All that is told of an error: drivers add the row that was refused, or the command, password included. */
const TOLD: readonly string[] = ['type', 'message', 'stack', 'code', 'name', 'aggregateErrors']

function withoutSecrets(error: Error): object {
  const told = Object.entries(stdSerializers.err(error))
  return Object.fromEntries(told.filter(([name]) => TOLD.includes(name)))
}
