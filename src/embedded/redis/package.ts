// Brings Debian's (or Ubuntu's) own Redis package into a folder, without root and without touching the system.
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { downloadEnv } from '../process/child-env.ts'
import { runCommand, type Outcome } from '../process/run-command.ts'

const TOTAL_TIMEOUT_MS = 120_000
const ABANDONED_AFTER_MS = 10 * 60_000
const PACKAGES = ['redis-server', 'valkey-server']

export interface PackageRequest {
  /** Where the unpacked package goes. */
  home: string
  env: NodeJS.ProcessEnv
  say: (line: string) => void
  signal: AbortSignal | undefined
  /** Whether the package unpacked in this directory works. */
  runs: (directory: string) => Promise<boolean>
}

type Run = (file: string, args: string[]) => Promise<Outcome>

/** Resolves to null once `home` holds a package that runs, otherwise to the reason in a few words. Never rejects. */
export async function fetchRedisPackage(request: PackageRequest): Promise<string | null> {
  const parent = path.dirname(request.home)
  const deadline = Date.now() + TOTAL_TIMEOUT_MS
  const run: Run = (file, args) =>
    runCommand(
      { file, args },
      { env: downloadEnv(request.env), timeoutMs: deadline - Date.now(), signal: request.signal },
    )

  for (const tool of ['apt-get', 'dpkg']) {
    if (!(await run(tool, ['--version'])).ok)
      return 'it can be fetched without installing on Debian and Ubuntu only'
  }
  request.say('Fetching Redis from the distribution (once, a few MB to download)')
  let work: string | null = null
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 })
    await removeAbandoned(request.home)
    work = await mkdtemp(`${request.home}.new-`)
    return await fetchInto(work, run, request)
  } catch (error) {
    return `fetching it failed: ${(error as Error).message}`
  } finally {
    if (work !== null) await rm(work, { recursive: true, force: true }).catch(() => undefined)
  }
}

async function fetchInto(work: string, run: Run, request: PackageRequest): Promise<string | null> {
  const packages = await download(work, run)
  if (!packages.ok) return `apt could not fetch it: ${packages.reason}`

  const unpacked = path.join(work, 'package')
  for (const file of packages.files) {
    const { ok, output } = await run('dpkg', ['-x', file, unpacked])
    if (!ok) return `its package could not be unpacked: ${reasonIn(output)}`
  }
  if (!(await request.runs(unpacked))) return "the distribution's package does not run here"
  await moveIntoPlace(unpacked, request)
  return null
}

type Download = { ok: true; files: string[] } | { ok: false; reason: string }

async function download(work: string, run: Run): Promise<Download> {
  const apt = await privateApt(work)
  const update = await run('apt-get', [...apt, 'update'])
  let last: Outcome = update
  for (const name of PACKAGES) {
    last = await run('apt-get', [...apt, '-y', '-d', '--no-install-recommends', 'install', name])
    if (last.ok) break
  }
  const archives = path.join(work, 'cache', 'archives')
  // An incomplete download lies in a folder of its own until its checksum is right.
  const files = (await readdir(archives)).filter((name) => name.endsWith('.deb'))
  if (last.ok && files.length > 0) return { ok: true, files: files.map((name) => path.join(archives, name)) }
  // Without lists no package is known: then the first cause is why there are none.
  const trouble = /^(E|W|Err)[: ]/m.test(update.output) ? update : last
  return { ok: false, reason: reasonIn(trouble.output) }
}

/** Options that keep apt to folders of its own, with its locks, its user and its hooks left out. */
async function privateApt(work: string): Promise<string[]> {
  const lists = path.join(work, 'lists')
  const cache = path.join(work, 'cache')
  await mkdir(path.join(lists, 'partial'), { recursive: true })
  await mkdir(path.join(cache, 'archives', 'partial'), { recursive: true })
  const config = path.join(work, 'apt.conf')
  // Hooks would act on the system: a container's, for one, empties the system's cache after every update.
  const hooks = ['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success', 'Post-Invoke-Stats']
  await writeFile(config, hooks.map((hook) => `#clear APT::Update::${hook};\n`).join(''))
  const settings = [
    `Dir::State::Lists=${lists}`,
    `Dir::Cache=${cache}`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
    'Acquire::Retries=1',
    'Acquire::http::Timeout=15',
    'Acquire::https::Timeout=15',
  ]
  return ['-q', '-c', config, ...settings.flatMap((setting) => ['-o', setting])]
}

/** Another process may have been faster: then its package is as good. */
async function moveIntoPlace(unpacked: string, { home, runs }: PackageRequest): Promise<void> {
  try {
    await rename(unpacked, home)
  } catch (error) {
    if (await runs(home)) return
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    // The package that is there no longer runs, as after the move to another system.
    await rename(home, path.join(path.dirname(unpacked), 'replaced'))
    await rename(unpacked, home)
  }
}

async function removeAbandoned(home: string): Promise<void> {
  const parent = path.dirname(home)
  const drafts = (await readdir(parent)).filter((name) => name.startsWith(`${path.basename(home)}.new-`))
  for (const name of drafts) {
    const draft = path.join(parent, name)
    const { mtimeMs } = await stat(draft).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(draft, { recursive: true, force: true })
  }
}

/** The first line that names a problem, or else the last line there is. */
function reasonIn(output: string): string {
  const lines = output.split('\n').map((line) => line.trim())
  const problem =
    lines.find((line) => /^(E|W|Err|dpkg)[: ]/.test(line)) ?? lines.findLast((line) => line !== '')
  return (problem ?? 'no reason given').slice(0, 200)
}
