// Whether others could have written a file or folder that we go by: its owner and its mode tell.
import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  type Stats,
} from 'node:fs'
import { join, resolve } from 'node:path'

/** The part of `stat` that tells who can write a file or folder. */
export type Ownership = Pick<Stats, 'uid' | 'mode'>

const BY_GROUP = 0o020
const BY_OTHERS = 0o002
const READABLE_BY_OTHERS = 0o004

/** `undefined` where files have no such owners (Windows). */
const ownUid = (): number | undefined => process.geteuid?.()

/**
 * `null` if nobody but root and the user with the id `uid` can write there; otherwise what is wrong, with the command
 * that mends it. The group may write where `groupMayWrite`, as mounted volumes give files to the group of a container.
 */
export function distrustOf(
  path: string,
  { uid: owner, mode }: Ownership,
  { uid = ownUid(), groupMayWrite }: { uid?: number | undefined; groupMayWrite: boolean },
): string | null {
  if (uid === undefined) return null
  const name = quoted(path)
  if (owner !== uid && owner !== 0) {
    return `${path} belongs to another user (uid ${owner}), who can change it. If it is as you want it: chown ${uid} ${name}`
  }
  const forbidden = groupMayWrite ? BY_OTHERS : BY_OTHERS | BY_GROUP
  if ((mode & forbidden) === 0) return null
  return groupMayWrite
    ? `${path} can be changed by every user: chmod o-w ${name}`
    : `${path} can be changed by other users: chmod go-w ${name}`
}

/**
 * The text of a file that only root and this user can have written; `warn` hears of it when every user can read it.
 * Throws an `Error` for the operator, or what the system says when there is none (`ENOENT`).
 */
export function readTrustedFile(path: string, warn?: (line: string) => void): string {
  const file = openSync(path, 'r')
  try {
    // Of what is open, and not of what the path will name in a moment.
    const ownership = fstatSync(file)
    requireTrust(distrustOf(path, ownership, { groupMayWrite: true }))
    if (ownUid() !== undefined && ownership.mode & READABLE_BY_OTHERS) {
      warn?.(`${path} can be read by every user: chmod o-r ${quoted(path)}`)
    }
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

/** Throws an `Error` for the operator unless only root and this user can write into the folder, if it is there. */
export function requireTrustedFolder(path: string): void {
  const ownership = statSync(path, { throwIfNoEntry: false })
  if (ownership) requireTrust(distrustOf(resolve(path), ownership, { groupMayWrite: false }))
}

/** The same of the folder and all that is below it, as for what is about to be run. */
export function requireTrustedTree(path: string): void {
  requireTrustedFolder(path)
  for (const name of namesBelow(path)) {
    const place = join(path, name)
    const ownership = lstatSync(place, { throwIfNoEntry: false })
    if (!ownership) continue
    // The mode of a link says nothing: everybody may write it, and nobody can.
    const mode = ownership.isSymbolicLink() ? 0 : ownership.mode
    requireTrust(distrustOf(place, { uid: ownership.uid, mode }, { groupMayWrite: false }))
  }
}

function namesBelow(path: string): string[] {
  try {
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
  } catch (error) {
    // Another process of ours may be putting a newer one in its place.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function requireTrust(problem: string | null): void {
  if (problem !== null) throw new Error(problem)
}

/** For a shell. */
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}
