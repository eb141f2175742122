// Signals to a server and all the processes it runs.
import { execFileSync } from 'node:child_process'

/** To the process and everything below it; `SIGSTOP` makes the whole of a Postgres hang. */
export function signalTree(pid: number, signal: NodeJS.Signals): void {
  for (const member of [pid, ...descendantsOf(pid)]) {
    try {
      process.kill(member, signal)
    } catch (error) {
      // One that has ended since they were listed needs no signal.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH' || member === pid) throw error
    }
  }
}

export function descendantsOf(pid: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const processes = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const below = (parent: number): number[] =>
    processes.flatMap(([child = 0, itsParent]) => (itsParent === parent ? [child, ...below(child)] : []))
  return below(pid)
}
