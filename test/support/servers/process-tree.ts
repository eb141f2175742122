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
  const processes = [...parentsOf()]
  const below = (parent: number): number[] =>
    processes.flatMap(([child, itsParent]) => (itsParent === parent ? [child, ...below(child)] : []))
  return below(pid)
}

/** Of every process of this machine, the number of its parent. */
export function parentsOf(): Map<number, number> {
  return new Map(processTable().map(({ pid, parent }) => [pid, parent]))
}

/**
 * The processes between npm and this one, npm included, the nearest first; where no npm runs it, only its parent. They
 * are not told, or do not tell each other, that the run is to stop.
 */
export function startersOf(pid: number): number[] {
  const processes = new Map(processTable().map((one) => [one.pid, one]))
  const starters: number[] = []
  let at = processes.get(processes.get(pid)?.parent ?? 0)
  while (at) {
    starters.push(at.pid)
    if (/^npm\b/.test(at.command)) return starters
    at = processes.get(at.parent)
  }
  return starters.slice(0, 1)
}

interface TableRow {
  pid: number
  parent: number
  /** As it shows itself. */
  command: string
}

function processTable(): TableRow[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  return table.split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command: command ?? '' }]
  })
}
