// Decides as whom Postgres runs: it refuses to be root, so under root it is given another identity.
import { chmod, lchown, lstat, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { childEnv } from '../process/child-env.ts'
import { runCommand, type Command } from '../process/run-command.ts'

const PROBE_TIMEOUT_MS = 5000
const ANOTHER_IDENTITY = ['-U', '--map-user=65534', '--map-group=65534']

interface Ids {
  uid: number
  gid: number
}

export interface PostgresAccount {
  /** How to run the program as this account. */
  command(file: string, args: string[]): Command
  /** Makes the path and all below it this account's. */
  own(place: string): Promise<void>
}

/** The account has to reach these: the programs, and the data directory with Postgres's own folder in it. */
export interface Reach {
  programs: string
  dataDir: string
  home: string
}

/** Rejects when this process is root and no other identity can be had that reaches both programs and data. */
export async function postgresAccount(env: NodeJS.ProcessEnv, reach: Reach): Promise<PostgresAccount> {
  const uid = process.getuid?.()
  const gid = process.getgid?.()
  if (uid === undefined || gid === undefined) return { command: plain, own: () => Promise.resolve() }

  const own = (place: string) => ownAll(place, { uid, gid })
  if (uid !== 0) return { command: plain, own }

  // In a user namespace root appears to Postgres as another user while files stay root's: no closed parent is in its way.
  const probe = { file: 'unshare', args: [...ANOTHER_IDENTITY, 'true'] }
  if ((await runCommand(probe, { env: childEnv(env), timeoutMs: PROBE_TIMEOUT_MS })).ok) {
    return { command: (file, args) => ({ file: 'unshare', args: [...ANOTHER_IDENTITY, file, ...args] }), own }
  }
  return await nobodyAccount(env, reach)
}

function plain(file: string, args: string[]): Command {
  return { file, args }
}

async function nobodyAccount(env: NodeJS.ProcessEnv, reach: Reach): Promise<PostgresAccount> {
  const nobody = { uid: await idOf('-u', env), gid: await idOf('-g', env) }
  // Passable, not listable: what else lies in the data directory is readable by its owner alone.
  const { mode } = await stat(reach.dataDir)
  await chmod(reach.dataDir, (mode & 0o777) | 0o011)

  for (const place of [reach.programs, reach.home]) {
    const closed = await closedParent(place, nobody)
    if (closed) {
      throw new Error(
        `Postgres does not run as root, and the user nobody it would run as can not get to ${place} because ${closed} ` +
          'is closed to others: set DATABASE_URL, or run as an ordinary user, or move the folder to an open place.',
      )
    }
  }
  return {
    command: (file, args) => ({ file, args, ...nobody }),
    own: (place) => ownAll(place, nobody),
  }
}

async function idOf(option: '-u' | '-g', env: NodeJS.ProcessEnv): Promise<number> {
  const { ok, output } = await runCommand(
    { file: 'id', args: [option, 'nobody'] },
    { env: childEnv(env), timeoutMs: PROBE_TIMEOUT_MS },
  )
  if (ok && /^\d+\s*$/.test(output)) return Number(output)
  throw new Error(
    'Postgres does not run as root and there is no user nobody to run it as: set DATABASE_URL, or run as an ordinary user.',
  )
}

async function closedParent(place: string, ids: Ids): Promise<string | null> {
  const parent = path.dirname(place)
  if (parent === place) return null
  const above = await closedParent(parent, ids)
  if (above) return above
  const { mode, uid, gid } = await stat(parent)
  const passable = uid === ids.uid ? 0o100 : gid === ids.gid ? 0o010 : 0o001
  return mode & passable ? null : parent
}

async function ownAll(place: string, ids: Ids): Promise<void> {
  const { uid } = await lstat(place)
  if (uid === ids.uid) return
  if (process.getuid?.() !== 0) {
    throw new Error(
      `${place} belongs to another user (uid ${uid}), from an earlier start: ` +
        'start as that user again, or hand the folder over with chown, or delete it.',
    )
  }
  await chownBelow(place, ids)
}

/** Children first: whoever is interrupted finds the top still to be done, and does it all again. */
async function chownBelow(place: string, ids: Ids): Promise<void> {
  if ((await lstat(place)).isDirectory()) {
    for (const name of await readdir(place)) await chownBelow(path.join(place, name), ids)
  }
  await lchown(place, ids.uid, ids.gid)
}
