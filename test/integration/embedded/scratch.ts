// What the tests of the embedded servers share: a data directory for each test, and holders in processes of their own.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { end, processesOf } from '../../support/servers/run-folder.ts'

const cleanUps: (() => Promise<void>)[] = []

/** A new empty directory, with a space in its path because people have those. */
export async function scratchDir(): Promise<string> {
  return await mkdtemp(path.join(os.tmpdir(), 'signoff test-'))
}

export async function removeDir(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
}

/** What the promise rejects with, in words. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return String(error)
  }
  throw new Error('it was expected to fail and did not')
}

/** A process that holds something until it is killed. */
export interface Holder {
  /** What it said of what it holds. */
  holds: Record<string, unknown>
  /** As `kill -9`; resolves once it is gone. */
  kill(): Promise<void>
}

/** Runs `hold.ts` beside this file with these arguments; resolves once it holds. */
export async function holderProcess(kind: 'lock' | 'postgres' | 'redis', dataDir: string): Promise<Holder> {
  const script = path.join(import.meta.dirname, 'hold.ts')
  const child = spawn(process.execPath, ['--import', 'tsx', script, kind, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const line = await Promise.race([once(child.stdout, 'data'), ended.then(() => null)])
  if (!line) throw new Error(`hold.ts ${kind} ended before it held anything`)
  const holds = JSON.parse(String(line[0])) as Record<string, unknown>
  const kill = () => killed(child, ended)
  cleanUps.push(async () => {
    await kill()
    // The server it held outlives it, unless the test has seen to that. By its folder: another may have its number now.
    for (const pid of processesOf(dataDir)) end(pid)
  })
  return { holds, kill }
}

/** Ends what `holderProcess` started, whatever became of the test. */
export async function endHolders(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
}

async function killed(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL')
  await ended
}
