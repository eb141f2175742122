// The folder that everything of one run lies in, by which its processes are known: none of them outlives the run.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { descendantsOf, startersOf } from './process-tree.ts'

const PREFIX = 'signoff-run-'

/** What the warden of a run is told. */
export interface Warded {
  pid: number
  folder: string
  /** Without each of these the run is to stop: its parent, the parent of that, and so on. */
  starters: number[]
}

/**
 * From now on the folder for temporary files is one of this run's own. Ends what it left behind, and removes it, when
 * what this returns is called, when the run is told to stop, when whatever started it is gone, and after a `kill -9` of
 * it; after one of its warden too, at the next call.
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
  ward({ pid: process.pid, folder, starters: startersOf(process.pid) })
  process.env['TMPDIR'] = folder

  const stop = (): void => {
    for (const pid of descendantsOf(process.pid)) end(pid)
    clear(folder)
    process.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.prependListener(signal, stop)
  return () => {
    clear(folder)
  }
}

/** In a process apart, which no Ctrl-C reaches; it knows the folder from its input alone, or it would end itself. */
function ward(warded: Warded): void {
  const script = join(import.meta.dirname, 'run-warden.ts')
  const warden = spawn(process.execPath, ['--import', 'tsx', script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  warden.stdin.on('error', () => undefined)
  warden.stdin.write(`${JSON.stringify(warded)}\n`)
  warden.unref()
  // A pipe to a child is a socket, which would keep the run alive.
  if (warden.stdin instanceof Socket) warden.stdin.unref()
}

/** Ends the processes of that folder, and removes it. */
export function clear(folder: string): void {
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
