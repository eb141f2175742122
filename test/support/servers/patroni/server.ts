// A server of the Patroni world: started apart from the terminal, ended at once, its log told when it does not come up.
import { logTail } from '../../../../src/embedded/process/log-tail.ts'
import type { Command } from '../../../../src/embedded/process/run-command.ts'
import { startServerProcess, type ServerProcess } from '../../../../src/embedded/process/server-process.ts'
import { waitUntil } from '../../../../src/embedded/process/wait-until.ts'

export interface ServerStart {
  name: string
  command: Command
  env: NodeJS.ProcessEnv
  logFile: string
}

/** Busy machines take their time: creating a cluster and copying it are part of it. */
const READY_TIMEOUT_MS = 60_000
const END_GRACE_MS = 5000

/** Resolves once the program runs, which is before it serves. */
export async function startServer({ name, command, env, logFile }: ServerStart): Promise<ServerProcess> {
  return await startServerProcess({
    ...command,
    name,
    // A foreign or missing locale stops Postgres.
    env: { ...env, LC_ALL: 'C' },
    logFile,
    stopSteps: [{ signal: 'SIGKILL', graceMs: END_GRACE_MS }],
  })
}

/** Resolves when `check` does to true. Rejects with the end of the log when that takes too long, or the server has ended. */
export async function untilServing(
  { name, logFile }: Pick<ServerStart, 'name' | 'logFile'>,
  { server, check }: { server: ServerProcess; check: () => Promise<boolean> },
): Promise<void> {
  await waitUntil(async () => server.ended() !== null || (await check()), READY_TIMEOUT_MS)
  if (server.ended() === null && (await check())) return
  throw new Error(`${name} does not come up. Its log ends with:\n${await logTail(logFile)}`)
}

/** Whether a GET is answered 200, soon. */
export async function answersOk(url: string): Promise<boolean> {
  return await fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    async (response) => {
      await response.arrayBuffer()
      return response.ok
    },
    () => false,
  )
}
