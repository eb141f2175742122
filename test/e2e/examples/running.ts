// An example, run by the one command that its README names, beside a real `signoff start`.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Agent } from 'undici'
import { freePort } from '../../../src/embedded/process/free-port.ts'
import { eventually, type Pair } from '../../support/service/environment.ts'
import { caller, type Signoff } from '../../support/service/signoff.ts'

export interface StartedSignoff {
  /** As for the examples: what `npm start` goes by. */
  env: Record<string, string>
  call: Signoff['call']
  /** As the user `demo`. */
  login(): Promise<Pair>
  logout(pair: Pair): Promise<void>
  stop(): Promise<void>
}

/** On a free port and in a folder of its own. */
export async function startedSignoff(): Promise<StartedSignoff> {
  const dataDir = await mkdtemp(join(tmpdir(), 'signoff examples '))
  // What an earlier start on this machine has fetched.
  await mkdir(join(dataDir, 'redis'), { mode: 0o700 })
  await cp(resolve('.signoff/redis/package'), join(dataDir, 'redis/package'), { recursive: true }).catch(
    () => undefined,
  )
  const port = String(await freePort())
  const env = {
    PATH: process.env['PATH'] ?? '',
    DATA_DIR: dataDir,
  }
  const program = run(process.execPath, {
    args: ['dist/main.js', 'start'],
    env: { ...env, PORT: port, ADMIN_PORT: '0', HOST: '127.0.0.1' },
  })
  await program.says('Signoff is up')

  const agent = new Agent({ connect: { ca: await readFile(join(dataDir, 'tls/cert.pem')) } })
  const call = caller(`https://localhost:${port}`, agent)
  return {
    env,
    call,
    login: async () => {
      const password = await readFile(join(dataDir, 'demo-password'), 'utf8')
      return (await call('/auth/login/', { json: { username: 'demo', password } })).json as Pair
    },
    logout: async ({ refresh }) => {
      await call('/auth/logout/', { json: { refresh_token: refresh } })
    },
    stop: async () => {
      await program.stop()
      await agent.destroy()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export interface RunningProgram {
  child: ChildProcess
  output(): string
  /** Fails when it ends first. */
  says(text: string): Promise<void>
  /** To its exit status, and the end of its output. */
  ended: Promise<number | null>
  stop(): Promise<void>
}

export function run(
  file: string,
  { args, env }: { args: string[]; env: Record<string, string> },
): RunningProgram {
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const ended = once(child, 'close').then(([status]) => status as number | null)
  let isOver = false
  void ended.then(() => (isOver = true))

  return {
    child,
    output: () => output,
    says: async (text) => {
      await eventually(() => isOver || output.includes(text))
      if (!output.includes(text)) throw new Error(`it ended: ${output}`)
    },
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** `node examples/run.js NAME`. */
export function runExample(name: string, env: Record<string, string>): RunningProgram {
  return run(process.execPath, { args: ['examples/run.js', name], env })
}
