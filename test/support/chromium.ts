// A real Chromium: the machine's own, or else Debian's package in a folder of the user's, without root.
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { chromium, type Browser } from 'playwright-core'

const run = promisify(execFile)

/** For up to 200 MB over a slow line. */
export const FETCH_TIMEOUT_MS = 5 * 60_000
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const FONTS_CONFIG = 'fonts.conf'
/** Hooks of apt would act on the system: a container's, for one, empties the system's cache. */
const HOOKS = ['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success', 'Post-Invoke-Stats']

interface Program {
  executablePath: string
  env: Record<string, string>
}

/** With an empty profile. Rejects when there is no Chromium and none can be fetched, and says what would help. */
export async function launchChromium(): Promise<Browser> {
  const program = await findChromium()
  return await chromium.launch({
    ...program,
    // It sees nothing but our own service, often as root and in a container, where its sandbox cannot be.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
  })
}

/** `CHROMIUM_PATH`, then what is on the `PATH`, then what was fetched before, then a fetched one. */
async function findChromium(): Promise<Program> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: homedir() }
  const named = process.env['CHROMIUM_PATH']
  if (named !== undefined) return { executablePath: named, env }

  for (const folder of env.PATH.split(path.delimiter)) {
    for (const name of NAMES) {
      const executablePath = path.join(folder, name)
      if (await isExecutable(executablePath)) return { executablePath, env }
    }
  }
  return await fetchedChromium(env)
}

async function fetchedChromium(env: Record<string, string>): Promise<Program> {
  const home = path.join(homedir(), '.cache', 'signoff', 'chromium')
  const executablePath = path.join(home, 'usr/lib/chromium/chromium')
  if (!(await isExecutable(executablePath))) {
    await fetchPackage(home).catch((error: unknown) => {
      const advice = 'install Chromium, or name one in CHROMIUM_PATH'
      throw new Error(`no Chromium here, and Debian's cannot be fetched: ${advice}`, { cause: error })
    })
  }
  const libraries = await foldersWithLibraries(home)
  const paths = { LD_LIBRARY_PATH: libraries.join(':'), FONTCONFIG_FILE: path.join(home, FONTS_CONFIG) }
  return { executablePath, env: { ...env, ...paths } }
}

/** Downloads the package with those that it needs and the machine lacks, and unpacks them into `home`. */
async function fetchPackage(home: string): Promise<void> {
  await mkdir(path.dirname(home), { recursive: true })
  const work = await mkdtemp(`${home}.new-`)
  try {
    const options = await privateApt(work)
    const apt = async (...args: string[]) => await run('apt-get', [...options, ...args], bounded)
    await apt('update')
    await apt('-y', '-d', '--no-install-recommends', 'install', 'chromium')

    const unpacked = path.join(work, 'package')
    const archives = path.join(work, 'cache/archives')
    for (const name of await readdir(archives)) {
      if (name.endsWith('.deb')) await run('dpkg', ['-x', path.join(archives, name), unpacked], bounded)
    }
    await writeFile(path.join(unpacked, FONTS_CONFIG), fontsConfig(home))
    await rename(unpacked, home).catch((error: unknown) => {
      // Somebody else was faster.
      if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY') throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** In place of the package's own, which looks in the system's folders only: no text would be seen at all. */
function fontsConfig(home: string): string {
  const folders = ['/usr/share/fonts', path.join(home, 'usr/share/fonts')]
  return `<fontconfig>
${folders.map((folder) => `<dir>${folder}</dir>`).join('\n')}
<cachedir prefix="xdg">fontconfig</cachedir>
<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
</fontconfig>
`
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

async function foldersWithLibraries(home: string): Promise<string[]> {
  const entries = await readdir(home, { recursive: true })
  const libraries = entries.filter((entry) => /\.so(\.\d+)*$/.test(entry))
  return [...new Set(libraries.map((entry) => path.dirname(path.join(home, entry))))]
}

async function isExecutable(file: string): Promise<boolean> {
  return await access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
