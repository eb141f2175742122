// Finds a Redis to run: the system's, or one unpacked into the data directory, or Debian's package brought there.
import { access, constants, readdir } from 'node:fs/promises'
import path from 'node:path'
import { requireTrustedFolder, requireTrustedTree } from '../../file-trust.ts'
import { childEnv } from '../process/child-env.ts'
import { fetchRedisPackage } from './package.ts'
import { runCommand } from '../process/run-command.ts'
import type { EmbeddedOptions } from '../server.ts'

const PROGRAMS = ['redis-server', 'valkey-server']
const VERSION_TIMEOUT_MS = 5000

export interface RedisBinary {
  path: string
  /** The environment to run it with; it names its libraries where they lie apart. */
  env: NodeJS.ProcessEnv
}

/**
 * Resolves to a Redis that has shown it runs here, or to null when there is none to be had (`say` has told why).
 * Rejects when other users could have changed the one that was unpacked here.
 * Several processes may ask for the same directory at once.
 */
export async function findRedis({ dataDir, env, say, signal }: EmbeddedOptions): Promise<RedisBinary | null> {
  const installed = await installedRedis(env)
  if (installed) return installed

  const home = path.resolve(dataDir, 'redis', 'package')
  const unpacked = await unpackedRedis(home, env)
  if (unpacked) return unpacked

  const runs = async (directory: string) => (await unpackedRedis(directory, env)) !== null
  const problem = await fetchRedisPackage({ home, env, say, signal, runs })
  if (problem === null) return await unpackedRedis(home, env)
  say(
    `There is no Redis here: redis-server is not on the PATH, and ${problem}. ` +
      'Install one (apt install redis-server, brew install redis) or set REDIS_URL.',
  )
  return null
}

async function installedRedis(env: NodeJS.ProcessEnv): Promise<RedisBinary | null> {
  const directories = (env['PATH'] ?? '')
    .split(path.delimiter)
    .filter((directory) => path.isAbsolute(directory))
  return await firstThatRuns(directories, childEnv(env))
}

/** Rejects where other users can write the package, or the folder that it is in: they could have put a program there. */
async function unpackedRedis(home: string, env: NodeJS.ProcessEnv): Promise<RedisBinary | null> {
  requireTrustedFolder(path.dirname(home))
  requireTrustedTree(home)
  const libraries = await libraryDirectories(home)
  const inherited = env['LD_LIBRARY_PATH'] ? [env['LD_LIBRARY_PATH']] : []
  const search = [...libraries, ...inherited].join(path.delimiter)
  return await firstThatRuns([path.join(home, 'usr', 'bin')], { ...childEnv(env), LD_LIBRARY_PATH: search })
}

async function firstThatRuns(directories: string[], env: NodeJS.ProcessEnv): Promise<RedisBinary | null> {
  for (const program of PROGRAMS) {
    for (const directory of directories) {
      const file = path.join(directory, program)
      if (await runs(file, env)) return { path: file, env }
    }
  }
  return null
}

async function runs(file: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
  } catch {
    return false
  }
  const { ok, output } = await runCommand(
    { file, args: ['--version'] },
    { env, timeoutMs: VERSION_TIMEOUT_MS },
  )
  return ok && /server v=/.test(output)
}

/** Every directory of an unpacked package that holds a shared library. */
async function libraryDirectories(home: string): Promise<string[]> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true }).catch(() => [])
  const libraries = entries.filter(({ name }) => /\.so(\.|$)/.test(name))
  return [...new Set(libraries.map((entry) => entry.parentPath))]
}
