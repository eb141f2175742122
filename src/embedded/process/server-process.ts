// Starts a server as a child apart from the terminal, notices its end, and stops it in steps.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from './run-command.ts'
import type { EmbeddedServer } from '../server.ts'

export interface StopStep {
  signal: NodeJS.Signals
  /** How long the server has to end before the next step. */
  graceMs: number
}

export interface ServerCommand extends Command {
  /** The name that a person has for it. */
  name: string
  env: NodeJS.ProcessEnv
  /** Begun anew at each start, so that it stays small. */
  logFile: string
  stopSteps: StopStep[]
}

/** A running child; `ended` tells how it ended, null while it lives. */
export interface ServerProcess extends Omit<EmbeddedServer, 'url'> {
  ended(): string | null
}

/** Resolves once the program runs, which is before it serves; rejects if it could not be run at all. */
export async function startServerProcess(command: ServerCommand): Promise<ServerProcess> {
  const { file, args, env, uid, gid } = command
  const log = await open(command.logFile, 'w', 0o600)
  try {
    // Detached: Ctrl-C in the terminal is for the service, which drains first and stops its servers last.
    const child = spawn(file, args, {
      ...(uid !== undefined && { uid }),
      ...(gid !== undefined && { gid }),
      cwd: '/',
      env,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    const supervised = supervise(child, command)
    await once(child, 'spawn')
    return { ...supervised, pid: child.pid ?? 0 }
  } finally {
    await log.close()
  }
}

function supervise(child: ChildProcess, command: ServerCommand): Omit<ServerProcess, 'pid'> {
  const handlers: ((reason: string) => void)[] = []
  let ended: string | null = null
  let stopping: Promise<void> | null = null

  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = `${command.name} ended with ${signal ?? `status ${code ?? 'unknown'}`}; its log is ${command.logFile}`
      if (!stopping) for (const handler of handlers) handler(ended)
      resolve()
    })
  })

  return {
    ended: () => ended,
    stop: () => (stopping ??= stopInSteps({ child, gone, command })),
    onExit(handler) {
      if (stopping) return
      if (ended === null) handlers.push(handler)
      else handler(ended)
    },
  }
}

async function stopInSteps(server: {
  child: ChildProcess
  gone: Promise<void>
  command: ServerCommand
}): Promise<void> {
  const { child, gone, command } = server
  for (const { signal, graceMs } of command.stopSteps) {
    child.kill(signal)
    if (await settlesWithin(gone, graceMs)) return
  }
  throw new Error(`${command.name} (pid ${child.pid ?? 'unknown'}) does not stop; end it by hand`)
}

async function settlesWithin(promise: Promise<void>, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController()
  const late = sleep(timeoutMs, false, timer).catch(() => false)
  const settled = await Promise.race([promise.then(() => true), late])
  timer.abort()
  return settled
}
