// One member: a Patroni and the Postgres that it keeps, which are killed together and started again.
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresAccount } from '../../../../src/embedded/postgres/account.ts'
import { freePort } from '../../../../src/embedded/process/free-port.ts'
import { isAlive } from '../../../../src/embedded/process/process-state.ts'
import type { ServerProcess } from '../../../../src/embedded/process/server-process.ts'
import { descendantsOf } from '../process-tree.ts'
import { tcpProxy } from '../tcp-proxy.ts'
import { memberSettings, type PostgresAccess } from './member-settings.ts'
import type { PatroniPrograms } from './programs.ts'
import { answersOk, startServer, untilServing, type ServerStart } from './server.ts'

export interface Member {
  name: string
  postgresPort: number
  restPort: number
  start: () => Promise<void>
  /** Whether it has this role by its own word. */
  is: (role: Role) => Promise<boolean>
  /** Resolves when it has. Rejects with the end of its log when that takes too long. */
  until: (role: Role) => Promise<void>
  /** Holds back what its replicas are sent, while their connections stay. */
  holdBackReplication: () => void
  /** Ends those connections, and lets none be made; what was held back is lost. */
  cutReplication: () => void
  passReplication: () => void
  /** Kills Patroni, Postgres and each of its processes at once. Resolves when none of them is left. */
  kill: () => Promise<void>
  remove: () => Promise<void>
}

/** The paths of Patroni's REST interface; `sync` is the standby that no acknowledged commit is missing on. */
export type Role = 'primary' | 'replica' | 'sync'

export interface MemberOptions {
  name: string
  /** For its data and its log. */
  directory: string
  programs: PatroniPrograms
  account: PostgresAccount
  etcdPort: number
  access: PostgresAccess
  isSynchronous: boolean
}

const END_POLL_MS = 50
const END_TIMEOUT_MS = 10_000

/** Not started yet. */
export async function patroniMember(options: MemberOptions): Promise<Member> {
  const { name, directory, programs, account } = options
  const home = path.join(directory, name)
  const [postgresPort, restPort] = [await freePort(), await freePort()]
  const replication = await tcpProxy(postgresPort)
  const configFile = path.join(home, 'patroni.yml')
  await mkdir(home, { mode: 0o700 })
  const { postgresFolder } = programs
  await writeFile(
    configFile,
    memberSettings({
      ...options,
      home,
      restPort,
      postgresPort,
      postgresFolder,
      replicationPort: replication.port,
    }),
  )
  await account.own(home)

  const { file, args, env } = programs.patroni
  const patroni: ServerStart = {
    name: `Patroni ${name}`,
    command: account.command(file, [...args, configFile]),
    env,
    logFile: path.join(directory, `${name}.log`),
  }
  let server: ServerProcess | null = null

  const pids = (): number[] => {
    const postmaster = postmasterOf(path.join(home, 'data'))
    const ofPatroni = server?.ended() === null ? [server.pid] : []
    return [...ofPatroni, ...(postmaster === null ? [] : [postmaster])].flatMap((pid) => [
      pid,
      ...descendantsOf(pid),
    ])
  }
  const is = async (role: Role): Promise<boolean> => await answersOk(`http://127.0.0.1:${restPort}/${role}`)
  const kill = async (): Promise<void> => {
    const all = pids()
    killAll(all)
    await untilGone(all)
  }

  // Its Postgres is nobody's child: whatever ends this process has to think of it.
  const killNow = (): void => {
    killAll(pids())
  }
  process.once('exit', killNow)

  return {
    name,
    postgresPort,
    restPort,
    start: async () => {
      server = await startServer(patroni)
    },
    is,
    until: async (role) => {
      if (!server) throw new Error(`${patroni.name} was not started`)
      await untilServing(patroni, { server, check: async () => await is(role) })
    },
    holdBackReplication: replication.swallow,
    cutReplication: replication.cut,
    passReplication: replication.pass,
    kill,
    remove: async () => {
      await kill()
      process.off('exit', killNow)
      await replication.close()
    },
  }
}

/** Patroni leaves its Postgres to nobody when it ends, so it is known by the file that Postgres itself keeps. */
function postmasterOf(dataDir: string): number | null {
  try {
    const pid = Number(readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n')[0])
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    return command.includes(dataDir) ? pid : null
  } catch {
    return null
  }
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended in the meantime.
    }
  }
}

async function untilGone(pids: readonly number[]): Promise<void> {
  const deadline = Date.now() + END_TIMEOUT_MS
  for (const pid of pids) {
    while (await isAlive(pid)) {
      if (Date.now() > deadline) throw new Error(`process ${pid} does not end`)
      await sleep(END_POLL_MS)
    }
  }
}
