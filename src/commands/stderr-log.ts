// The log of the parts of the service that a command runs.
import type { SystemLog } from '../ops/log.ts'

/** For a person at a terminal: warnings and errors in plain words, apart from what the command prints. */
export function stderrLog(): SystemLog {
  const write = (fields: object | string, message = typeof fields === 'string' ? fields : ''): void => {
    process.stderr.write(`signoff: ${message}\n`)
  }
  return { debug: () => undefined, info: () => undefined, warn: write, error: write }
}
