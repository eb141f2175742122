// The files of the embedded Postgres: its password, and a cluster that is there whole or not at all.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { childEnv } from '../process/child-env.ts'
import type { PostgresAccount } from './account.ts'
import { writePrivateFile } from '../files/private-file.ts'
import { readIfPresent } from '../files/read-if-present.ts'
import { runCommand } from '../process/run-command.ts'

const INITDB_TIMEOUT_MS = 120_000
const DRAFT = 'data.new-'

/** Where the parts of an embedded Postgres lie. */
export interface PostgresPlaces {
  home: string
  data: string
  passwordFile: string
  logFile: string
}

export function postgresPlaces(dataDir: string): PostgresPlaces {
  const home = path.resolve(dataDir, 'postgres')
  return {
    home,
    data: path.join(home, 'data'),
    passwordFile: path.join(home, 'password'),
    logFile: path.join(home, 'server.log'),
  }
}

/** The password of the cluster; a new one where there is no cluster yet. */
export async function postgresPassword(places: PostgresPlaces): Promise<string> {
  const kept = (await readIfPresent(places.passwordFile))?.trim()
  if (kept) return kept
  if (await clusterExists(places)) {
    throw new Error(
      `The Postgres cluster in ${places.data} is there but its password is not: ` +
        `put ${places.passwordFile} back, or delete ${places.home} to start anew without its data.`,
    )
  }
  const password = randomBytes(24).toString('hex')
  await writePrivateFile(places.passwordFile, `${password}\n`)
  return password
}

export async function clusterExists(places: PostgresPlaces): Promise<boolean> {
  return (await readIfPresent(path.join(places.data, 'PG_VERSION'))) !== null
}

/** Creates the cluster beside its place and moves it there when complete, so that no interruption leaves half of one. */
export async function createCluster(
  places: PostgresPlaces,
  by: { account: PostgresAccount; initdb: string; env: NodeJS.ProcessEnv },
): Promise<void> {
  await removeDrafts(places.home)
  const draft = await mkdtemp(path.join(places.home, DRAFT))
  const data = path.join(draft, 'data')
  await mkdir(data, { mode: 0o700 })
  for (const place of [places.passwordFile, draft]) await by.account.own(place)

  const { ok, output } = await runCommand(
    by.account.command(by.initdb, initdbOptions(data, places.passwordFile)),
    {
      env: childEnv(by.env),
      timeoutMs: INITDB_TIMEOUT_MS,
    },
  )
  if (!ok) {
    await rm(draft, { recursive: true, force: true })
    throw new Error(
      `Postgres could not create its cluster in ${places.home}; set DATABASE_URL to a Postgres of your own, or see to this:\n` +
        output.trim().split('\n').slice(-8).join('\n'),
    )
  }
  await rename(data, places.data)
  await syncDirectory(places.home)
  await removeDrafts(places.home)
}

function initdbOptions(data: string, passwordFile: string): string[] {
  const login = ['--username=signoff', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  // The provider built into Postgres: the same order of text on every system, whatever locales that has.
  const text = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  return ['-D', data, ...login, ...text, '--no-instructions']
}

/** Removes what a killed start left; an initdb that outlived it may still be writing, so a failure here is no matter. */
async function removeDrafts(home: string): Promise<void> {
  const drafts = (await readdir(home)).filter((name) => name.startsWith(DRAFT))
  for (const name of drafts) {
    await rm(path.join(home, name), { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined)
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  // Not every system can sync a directory.
  await handle.sync().catch(() => undefined)
  await handle.close()
}
