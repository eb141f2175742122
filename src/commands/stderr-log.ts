// What the parts of the service have to say while a command runs them.
import type { SystemLog } from '../ops/log.ts'

/** For a person at a terminal: warnings and errors in plain words, apart from what the command prints. */
export function stderrLog(): SystemLog {
  const write = (fields: object | string, message = typeof fields === 'string' ? fields : ''): void => {
    process.stderr.write(`signoff: ${message}\n`)
  }
  return { debug: () => undefined, info: () => undefined, warn: write, error: write }
}
