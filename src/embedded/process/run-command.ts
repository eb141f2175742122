// Runs a program to its end, within a time, and keeps what it printed.
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

const KEPT_CHARACTERS = 200_000

export interface Command {
  file: string
  args: string[]
  uid?: number
  gid?: number
}

export interface Outcome {
  ok: boolean
  /** Standard output and standard error as they came, with a last line where the program did not end by itself. */
  output: string
}

/** Never rejects: a program that is missing, fails, overruns `timeoutMs` or is aborted is an outcome that is not ok. */
export async function runCommand(
  command: Command,
  options: { env: NodeJS.ProcessEnv; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Outcome> {
  const { file, args, ...ids } = command
  if (options.timeoutMs <= 0) return { ok: false, output: `${file}: out of time` }
  if (options.signal?.aborted) return { ok: false, output: `${file}: not wanted any more` }
  // Its own process group: Ctrl-C in the terminal is not for it, and a kill reaches what it started too.
  const child = spawn(file, args, {
    ...ids,
    cwd: '/',
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-KEPT_CHARACTERS))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)

  const ended = new Promise<Outcome>((resolve) => {
    child.once('error', (error) => {
      resolve({ ok: false, output: `${output}${error.message}\n` })
    })
    child.once('close', (code, signal) => {
      const end = signal ? `${file} was ended by ${signal}\n` : ''
      resolve({ ok: code === 0, output: output + end })
    })
  })
  const abort = () => {
    killGroup(child.pid)
  }
  options.signal?.addEventListener('abort', abort)
  const overrun = new AbortController()
  const late = sleep(options.timeoutMs, undefined, overrun).then(
    () => {
      killGroup(child.pid)
      return { ok: false, output: `${output}${file} did not end within ${options.timeoutMs} ms\n` }
    },
    () => ({ ok: false, output }),
  )
  const outcome = await Promise.race([ended, late])
  overrun.abort()
  options.signal?.removeEventListener('abort', abort)
  return outcome
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It ended in the meantime.
  }
}
