// One `signoff serve` that can be killed, hung and started again: same port, same keys, perhaps another clock.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { shiftedClock } from '../support/service/shifted-clock.ts'
import type { InstanceName } from './history.ts'

export interface Instance {
  name: InstanceName
  url: string
  /** Resolves when it serves, its clock shifted by `clockShiftMs` or as it was shifted before. */
  start: (clockShiftMs?: number) => Promise<void>
  /** Resolves when it has come to its end, where the signal makes it end. */
  signal: (signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT') => Promise<void>
  /** Kills it, hung or not. */
  stop: () => Promise<void>
}

export interface InstanceOptions {
  name: InstanceName
  /** `dist/main.js`, or that of a copy. */
  program: string
  port: number
  settings: Record<string, string>
  /** For its log, which all its lives share. */
  directory: string
}

const START_TIMEOUT_MS = 60_000

/** Not started yet. */
export function instance({ name, program, port, settings, directory }: InstanceOptions): Instance {
  const log = createWriteStream(join(directory, `${name}.log`))
  let child: ChildProcess | null = null
  let shiftMs = 0

  return {
    name,
    url: `https://localhost:${port}`,

    start: async (clockShiftMs = shiftMs) => {
      shiftMs = clockShiftMs
      const clock = shiftedClock(shiftMs)
      child = spawn(process.execPath, [...clock.preload, program, 'serve'], {
        cwd: tmpdir(),
        // Ctrl-C is for the run alone.
        detached: true,
        env: {
          PATH: process.env['PATH'],
          ...clock.env,
          HOST: '127.0.0.1',
          PORT: String(port),
          ADMIN_PORT: '0',
          ...settings,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      child.stdout?.pipe(log, { end: false })
      child.stderr?.pipe(log, { end: false })
      await serving(child, name)
    },

    signal: async (signal) => {
      const gone = signal === 'SIGKILL' ? untilGone(child) : null
      child?.kill(signal)
      await gone
    },

    stop: async () => {
      const gone = untilGone(child)
      child?.kill('SIGKILL')
      await gone
      log.end()
    },
  }
}

async function serving(child: ChildProcess, name: string): Promise<void> {
  if (!child.stdout) throw new Error('no standard output')
  const lines = createInterface({ input: child.stdout })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${name} does not serve within ${START_TIMEOUT_MS} ms`))
    }, START_TIMEOUT_MS)
    child.once('exit', (status, signal) => {
      clearTimeout(timer)
      reject(new Error(`${name} ended with ${signal ?? String(status)} before it served`))
    })
    lines.on('line', (line) => {
      if (!line.includes('"msg":"serving"')) return
      clearTimeout(timer)
      resolve()
    })
  })
}

async function untilGone(child: ChildProcess | null): Promise<void> {
  if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
