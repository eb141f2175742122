// Sees to it that one process at a time works on a data directory, and tells the others what it runs.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { requireTrustedFolder } from '../../file-trust.ts'
import { lifeBeacon, type LifeBeacon } from './liveness.ts'
import { holderLives, parseHolder, tryLock, unlock } from './lock-file.ts'
import { writePrivateFile } from '../files/private-file.ts'
import { readIfPresent } from '../files/read-if-present.ts'

const TAKE_TIMEOUT_MS = 10_000
const RETRY_MS = 20

/** The holder tells this to others who may read its data directory. It holds passwords: it is not for logs. */
export interface RunningInfo {
  pid: number
  url?: string
  databaseUrl?: string
  redisUrl?: string
}

export type DataDirHold =
  | {
      ok: true
      /** Resolves once `readRunning` tells this to everybody. */
      publish: (info: RunningInfo) => Promise<void>
      release: () => Promise<void>
    }
  | { ok: false; running: RunningInfo | null }

/**
 * Takes the data directory, creating it if need be, until `release()` or the death of this process in whatever
 * way. Not ok while another process has it, then with what that one has published. Rejects where other users can
 * write there: of what is in it, programs are run and keys are used.
 */
export async function holdDataDir(dataDir: string): Promise<DataDirHold> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  requireTrustedFolder(dataDir)
  const file = runningFile(dataDir)
  const beacon = await lifeBeacon()
  try {
    const content = entry(beacon, { pid: process.pid })
    const holder = await take(file, content)
    if (holder === null) return hold(file, beacon)
    beacon.close()
    return { ok: false, running: infoIn(holder) }
  } catch (error) {
    beacon.close()
    throw readable(error, dataDir)
  }
}

/**
 * Resolves to what the process runs that has the data directory; null when none has it. Rejects where other users can write there:
 * they could name a database of theirs.
 */
export async function readRunning(dataDir: string): Promise<RunningInfo | null> {
  requireTrustedFolder(dataDir)
  const content = await readIfPresent(runningFile(dataDir)).catch((error: unknown) => {
    throw readable(error, dataDir)
  })
  return content !== null && (await holderLives(content)) ? infoIn(content) : null
}

function runningFile(dataDir: string): string {
  return path.resolve(dataDir, 'running.json')
}

/** Resolves to null when taken, otherwise to the content of the living holder's file. */
async function take(file: string, content: string): Promise<string | null> {
  const deadline = Date.now() + TAKE_TIMEOUT_MS
  for (;;) {
    const attempt = await tryLock(file, content)
    if (attempt.outcome === 'taken') return null
    if (attempt.outcome === 'held') return attempt.content
    if (Date.now() > deadline) throw new Error(`${file} changes all the time: delete it, then start again.`)
    await sleep(RETRY_MS)
  }
}

function hold(file: string, beacon: LifeBeacon): DataDirHold {
  let content = entry(beacon, { pid: process.pid })
  let released = false
  return {
    ok: true,
    async publish(info) {
      if (released) return
      content = entry(beacon, info)
      await writePrivateFile(file, content)
    },
    async release() {
      released = true
      // The file first: as long as it is there, its proof must be given.
      await unlock(file, content)
      beacon.close()
    },
  }
}

function entry({ port, nonce }: LifeBeacon, info: RunningInfo): string {
  return `${JSON.stringify({ ...info, port, nonce })}\n`
}

function infoIn(content: string): RunningInfo | null {
  const { pid, url, databaseUrl, redisUrl } = (parseHolder(content) ?? {}) as Partial<RunningInfo>
  if (pid === undefined) return null
  return {
    pid,
    ...(url !== undefined && { url }),
    ...(databaseUrl !== undefined && { databaseUrl }),
    ...(redisUrl !== undefined && { redisUrl }),
  }
}

function readable(error: unknown, dataDir: string): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'EACCES') return error
  return new Error(
    `${path.resolve(dataDir)} can not be used by this user: start as the user it belongs to, or set DATA_DIR to another folder.`,
    { cause: error },
  )
}
