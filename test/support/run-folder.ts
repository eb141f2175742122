// The folder that everything of one run lies in, by which its processes are known: none of them outlives the run.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { descendantsOf } from './process-tree.ts'

const PREFIX = 'signoff-run-'
const ORPHAN_CHECK_MS = 1000

/**
 * From now on the folder for temporary files is one of this run's own. Ends what it left behind, and removes it, when
 * what this returns is called, when the run is told to stop, when whatever started it is gone; and, after a `kill -9`
 * of all that, at the next call.
 */
export function ownRunFolder(): () => void {
  const system = tmpdir()
  for (const name of readdirSync(system)) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1])
    if (pid > 0 && !isRunning(pid)) clear(join(system, name))
  }
  const folder = mkdtempSync(join(system, `${PREFIX}${process.pid}-`))
  // A Postgres that root starts may run as somebody else.
  chmodSync(folder, 0o711)
  process.env['TMPDIR'] = folder

  const stop = (): void => {
    for (const pid of descendantsOf(process.pid)) end(pid)
    clear(folder)
    process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.prependListener(signal, stop)
  const parent = process.ppid
  // Mocha's own parent is told to stop, and does not tell it.
  setInterval(() => {
    if (process.ppid !== parent) stop()
  }, ORPHAN_CHECK_MS).unref()

  return () => {
    clear(folder)
  }
}

function clear(folder: string): void {
  for (const pid of processesOf(folder)) end(pid)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** Those that work in it, are given a path in it, or would put their temporary files there; where there is a /proc. */
export function processesOf(folder: string): number[] {
  const parts = [(at: string) => readlinkSync(`${at}/cwd`), ...['cmdline', 'environ'].map(fileIn)]
  return numbersIn('/proc').filter(
    (pid) =>
      pid !== process.pid && parts.some((part) => attempt(() => part(`/proc/${pid}`)).includes(folder)),
  )
}

function fileIn(name: string): (at: string) => string {
  return (at) => readFileSync(`${at}/${name}`, 'utf8')
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger)
  } catch {
    return []
  }
}

/** Empty for a process that is gone meanwhile, or somebody else's. */
function attempt(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

export function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
