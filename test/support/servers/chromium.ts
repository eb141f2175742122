// A real Chromium: the machine's own, or else Debian's package in a folder of the user's, without root.
import { writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import { debianProgram } from './debian-packages.ts'

interface Chromium {
  executablePath: string
  env: Record<string, string>
}

/** With an empty profile. Rejects when there is no Chromium and none can be fetched, and says what would help. */
export async function launchChromium(): Promise<Browser> {
  const { executablePath, env } = await findChromium()
  return await chromium.launch({
    executablePath,
    env,
    // It sees nothing but our own service, often as root and in a container, where its sandbox cannot be.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
  })
}

/** `CHROMIUM_PATH`, or else what the machine has or Debian. */
async function findChromium(): Promise<Chromium> {
  const named = process.env['CHROMIUM_PATH']
  if (named !== undefined) {
    return { executablePath: named, env: { PATH: process.env['PATH'] ?? '', HOME: homedir() } }
  }

  const { executablePath, env, root } = await debianProgram({
    folder: 'chromium',
    packages: ['chromium'],
    file: 'usr/lib/chromium/chromium',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  }).catch((error: unknown) => {
    throw new Error('no Chromium here: install one, or name one in CHROMIUM_PATH', { cause: error })
  })
  if (root === null) return { executablePath, env }
  const fontsFile = path.join(root, 'fonts.conf')
  await writeFile(fontsFile, fontsConfig(root))
  return { executablePath, env: { ...env, FONTCONFIG_FILE: fontsFile } }
}

/** In place of the package's own, which looks in the system's folders only: no text would be seen at all. */
function fontsConfig(root: string): string {
  const folders = ['/usr/share/fonts', path.join(root, 'usr/share/fonts')]
  return `<fontconfig>
${folders.map((folder) => `<dir>${folder}</dir>`).join('\n')}
<cachedir prefix="xdg">fontconfig</cachedir>
<alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
</fontconfig>
`
}
