// The end of a server's log, for the error that says why it did not start.
import { readFile } from 'node:fs/promises'

const LINES = 12

/** The last lines of the log, indented; a note in their place when there are none. */
export async function logTail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const lines = text.trimEnd().split('\n').slice(-LINES)
  return lines.join('') === '' ? '  (its log is empty)' : lines.map((line) => `  ${line}`).join('\n')
}
