// Patroni and what it needs, from Debian's packages: etcd, HAProxy, and a Postgres with its tools.
import { access, readdir } from 'node:fs/promises'
import path from 'node:path'
import { debianProgram, type Program } from '../debian-packages.ts'

export interface PatroniPrograms {
  /** Runs Patroni: a Python and the script. */
  patroni: { file: string; args: string[]; env: Record<string, string> }
  etcd: Program
  haproxy: Program
  /** Where `postgres`, `pg_basebackup` and `pg_rewind` are. */
  postgresFolder: string
}

const PACKAGES = [
  'patroni',
  // Patroni only recommends its clients of etcd.
  'python3-etcd',
  'python3',
  'etcd-server',
  'haproxy',
  'postgresql',
]

/** Rejects when one of them is missing and cannot be fetched, and says what would help. */
export async function patroniPrograms(): Promise<PatroniPrograms> {
  const program = async (file: string): Promise<Program> =>
    await debianProgram({ folder: 'patroni', packages: PACKAGES, file, names: [path.basename(file)] })
  // One after the other, since the first one fetches for all.
  const script = await program('usr/bin/patroni')
  const etcd = await program('usr/bin/etcd')
  const haproxy = await program('usr/sbin/haproxy')
  const roots = ['/', ...[script.root, haproxy.root].filter((root) => root !== null)]
  return {
    patroni: await patroniCommand(script, roots),
    etcd,
    haproxy,
    postgresFolder: await newestPostgres(roots),
  }
}

async function patroniCommand(
  script: Program,
  roots: readonly string[],
): Promise<PatroniPrograms['patroni']> {
  const own = { PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' }
  if (script.root === null) return { file: script.executablePath, args: [], env: { ...script.env, ...own } }
  const packages = path.join(script.root, 'usr/lib/python3/dist-packages')
  return {
    // Debian's own, for which its modules were built, and not just any on the PATH.
    file: await firstThere(roots.map((root) => path.join(root, 'usr/bin/python3'))),
    args: [script.executablePath],
    env: { ...script.env, ...own, PYTHONPATH: packages },
  }
}

async function newestPostgres(roots: readonly string[]): Promise<string> {
  const folders = await Promise.all(
    roots.map(async (root) => {
      const versions = path.join(root, 'usr/lib/postgresql')
      const names = await readdir(versions).catch(() => [])
      return names.map((name) => ({ version: Number(name), folder: path.join(versions, name, 'bin') }))
    }),
  )
  const newestFirst = folders.flat().sort((left, right) => right.version - left.version)
  const tools = await firstThere(newestFirst.map(({ folder }) => path.join(folder, 'pg_basebackup')))
  return path.dirname(tools)
}

async function firstThere(files: readonly string[]): Promise<string> {
  for (const file of files) {
    const isThere = await access(file).then(
      () => true,
      () => false,
    )
    if (isThere) return file
  }
  throw new Error(`Debian's packages have none of ${files.join(', ') || 'the tools of Postgres'}`)
}
