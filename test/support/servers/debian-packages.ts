// Programs of Debian's packages: the machine's own, or else unpacked in a folder of the user's, without root.
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** For up to 200 MB over a slow line. */
export const FETCH_TIMEOUT_MS = 5 * 60_000
/** Where servers are kept, which is not on everybody's `PATH`. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin']
/** Hooks of apt would act on the system: a container's, for one, empties the system's cache. */
const HOOKS = ['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success', 'Post-Invoke-Stats']

export interface Program {
  executablePath: string
  env: Record<string, string>
  /** Where its packages were unpacked; `null` when it is the machine's own. */
  root: string | null
}

export interface Wanted {
  /** Of the folder of the user's that keeps the packages. */
  folder: string
  packages: string[]
  /** Where they have the program, without the leading slash. */
  file: string
  /** Under which names the machine may have it already. */
  names: string[]
  /** Whether the machine's own will do; by default any will. */
  suits?: (program: Program) => Promise<boolean>
}

/**
 * What is on the `PATH`, then what was fetched before, then a fetched one. Rejects when there is none and none can
 * be fetched, and says what would help.
 */
export async function debianProgram(wanted: Wanted): Promise<Program> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: homedir() }
  for (const folder of [...env.PATH.split(path.delimiter), ...SERVER_FOLDERS]) {
    for (const name of wanted.names) {
      const own = { executablePath: path.join(folder, name), env, root: null }
      if ((await isExecutable(own.executablePath)) && ((await wanted.suits?.(own)) ?? true)) return own
    }
  }

  const root = path.join(homedir(), '.cache', 'signoff', wanted.folder)
  if (!(await isThere(root))) {
    await fetchPackages(root, wanted.packages).catch((error: unknown) => {
      const names = wanted.packages.join(' ')
      throw new Error(`Debian's packages cannot be fetched: install ${names}`, { cause: error })
    })
  }
  const fetched = path.join(root, wanted.file)
  return {
    // What the machine has of the packages is not fetched again.
    executablePath: (await isExecutable(fetched)) ? fetched : `/${wanted.file}`,
    env: { ...env, LD_LIBRARY_PATH: (await foldersWithLibraries(root)).join(':') },
    root,
  }
}

/** Downloads the packages with those that they need and the machine lacks, and unpacks them into `root`, all or nothing. */
async function fetchPackages(root: string, packages: string[]): Promise<void> {
  await mkdir(path.dirname(root), { recursive: true })
  const work = await mkdtemp(`${root}.new-`)
  try {
    const options = await privateApt(work)
    const apt = async (...args: string[]) => await run('apt-get', [...options, ...args], bounded)
    await apt('update')
    await apt('-y', '-d', '--no-install-recommends', 'install', ...packages)

    const unpacked = path.join(work, 'package')
    const archives = path.join(work, 'cache/archives')
    await mkdir(unpacked)
    for (const name of await readdir(archives)) {
      if (name.endsWith('.deb')) await run('dpkg', ['-x', path.join(archives, name), unpacked], bounded)
    }
    await rename(unpacked, root).catch((error: unknown) => {
      // Somebody else was faster.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

const bounded = { timeout: FETCH_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 }

/** Options that keep apt to folders of its own. */
async function privateApt(work: string): Promise<string[]> {
  await mkdir(path.join(work, 'lists/partial'), { recursive: true })
  await mkdir(path.join(work, 'cache/archives/partial'), { recursive: true })
  const config = path.join(work, 'apt.conf')
  await writeFile(config, HOOKS.map((hook) => `#clear APT::Update::${hook};\n`).join(''))
  const settings = [
    `Dir::State::Lists=${work}/lists`,
    `Dir::Cache=${work}/cache`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
    'Acquire::Retries=1',
  ]
  return ['-q', '-c', config, ...settings.flatMap((setting) => ['-o', setting])]
}

async function foldersWithLibraries(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true })
  const libraries = entries.filter((entry) => /\.so(\.\d+)*$/.test(entry))
  return [...new Set(libraries.map((entry) => path.dirname(path.join(root, entry))))]
}

async function isExecutable(file: string): Promise<boolean> {
  return await isThere(file, constants.X_OK)
}

async function isThere(file: string, mode = constants.F_OK): Promise<boolean> {
  return await access(file, mode).then(
    () => true,
    () => false,
  )
}
