// A compiled copy of the code that the simulation runs: faster than a loader, and the place to plant bugs in.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'

export interface CompiledCopy {
  /** Of the program that runs seeds. */
  worker: string
  remove: () => Promise<void>
}

/** A change of the text of one file. */
export interface SourceChange {
  /** From the root of the checkout. */
  file: string
  /** Occurs exactly once. */
  find: string
  replace: string
}

const ROOT = resolve(import.meta.dirname, '../..')
const COPIED = [
  'src/auth',
  'src/remote',
  'src/contract',
  'src/http/peers',
  'src/ops',
  'src/peer',
  'src/store',
  'src/clock.ts',
  'test/fault/random.ts',
  'test/simulation',
]

/** In the checkout, so that its packages are found. Throws when a change does not fit the text. */
export async function compiledCopy(changes: readonly SourceChange[] = []): Promise<CompiledCopy> {
  const directory = await mkdtemp(join(ROOT, 'dist-planted-simulation-'))
  try {
    const files = (await Promise.all(COPIED.map(async (path) => await sourcesIn(join(ROOT, path))))).flat()
    const unused = new Set(changes)
    for (const file of files) {
      let text = await readFile(file, 'utf8')
      for (const change of changes) {
        if (join(ROOT, change.file) !== file) continue
        text = changed(text, change)
        unused.delete(change)
      }
      const target = join(directory, relative(ROOT, file).replace(/\.ts$/, '.js'))
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, compiled(text))
    }
    for (const { file } of unused) throw new Error(`${file} is not a file of the simulation`)
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
  return {
    worker: join(directory, 'test/simulation/worker.js'),
    remove: async () => {
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function changed(text: string, { file, find, replace }: SourceChange): string {
  const parts = text.split(find)
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, and not once: ${find}`)
  return parts.join(replace)
}

function compiled(text: string): string {
  return ts.transpileModule(text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  }).outputText
}

async function sourcesIn(path: string): Promise<string[]> {
  if (path.endsWith('.ts')) return [path]
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/\.(test|tmp)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
