// Ends a Postgres that outlived the process which started it, and no other process.
import { readFile, realpath, rm } from 'node:fs/promises'
import path from 'node:path'
import type { PostgresPlaces } from './cluster.ts'
import { postgresQuery, postgresUrl } from './query.ts'
import { isAlive, workingDirectory } from '../process/process-state.ts'
import { readIfPresent } from '../files/read-if-present.ts'
import { waitUntil } from '../process/wait-until.ts'

const PROOF_TIMEOUT_MS = 10_000
const STOP_TIMEOUT_MS = 10_000

interface Recorded {
  pid: number
  port: number
}

/**
 * Resolves once nothing of an earlier start is in the way. A process is signalled only after a connection with
 * our password has shown that it serves our data directory; rejects when one is there that does not show it.
 */
export async function stopPostgresOrphan(
  places: PostgresPlaces,
  { password, say }: { password: string; say: (line: string) => void },
): Promise<void> {
  const pidFile = path.join(places.data, 'postmaster.pid')
  const recorded = parse(await readIfPresent(pidFile))
  if (!recorded) return
  if (await surelyAnother(recorded.pid, places.data)) {
    // Its id is in use again, or stands for a process nobody has reaped: Postgres would take either for its rival.
    await rm(pidFile, { force: true })
    return
  }

  const ours = await waitUntil(
    async () => !(await isAlive(recorded.pid)) || (await servesOurData(recorded, { places, password })),
    PROOF_TIMEOUT_MS,
  )
  if (!ours) {
    throw new Error(
      `Process ${recorded.pid} may be a Postgres at work on ${places.data}, but does not answer to its password: ` +
        `look at it and end it by hand, or if it is no Postgres delete ${pidFile}; then start again.`,
    )
  }
  if (!(await isAlive(recorded.pid))) return
  say(`Stopping the Postgres an earlier run left behind (pid ${recorded.pid})`)
  await stop(recorded.pid)
}

/** The process id and port Postgres itself notes (its lines 1 and 4). */
function parse(text: string | null): Recorded | null {
  const lines = text?.split('\n') ?? []
  const pid = Number(lines[0])
  return Number.isInteger(pid) && pid > 1 ? { pid, port: Number(lines[3] ?? 0) } : null
}

async function servesOurData(
  { port }: Recorded,
  { places, password }: { places: PostgresPlaces; password: string },
): Promise<boolean> {
  if (!(port > 0 && port < 65_536)) return false
  try {
    const url = postgresUrl({ port, password, database: 'postgres' })
    const served = await postgresQuery(url, 'SHOW data_directory')
    return typeof served === 'string' && (await realpath(served)) === (await realpath(places.data))
  } catch {
    return false
  }
}

/** True only on proof: there is a process table to read, and in it the process is not a Postgres in our directory. */
async function surelyAnother(pid: number, data: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null)
  if (commandLine === null) return false
  const program = path.basename(commandLine.split('\0')[0] ?? '')
  if (!program.startsWith('postgres')) return true
  const directory = await workingDirectory(pid)
  return directory !== null && directory !== (await realpath(data))
}

async function stop(pid: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
    if (await waitUntil(async () => !(await isAlive(pid)), STOP_TIMEOUT_MS)) return
  }
  throw new Error(
    `The Postgres an earlier run left behind (pid ${pid}) does not stop: end it by hand, then start again.`,
  )
}
