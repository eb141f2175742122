// Tells when one of several files has changed: certificates and keys are taken into use without a restart.
import { unwatchFile, watchFile } from 'node:fs'

const POLL_MS = 5000

/**
 * Calls `onChange` after one of the files was written, replaced, removed or made, within five seconds: once for each
 * change that it sees. Returns what ends that. It does not keep the process alive.
 */
export function watchFiles(files: readonly string[], onChange: () => void): () => void {
  for (const file of files) watchFile(file, { interval: POLL_MS, persistent: false }, onChange)
  return () => {
    for (const file of files) unwatchFile(file, onChange)
  }
}
