// A Python with the packages that peers written in it use: the machine's own, or else Debian's.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { debianProgram, type Program } from './debian-packages.ts'

const run = promisify(execFile)

const MODULES = ['rest_framework_simplejwt', 'jwt', 'cryptography', 'redis']
const PACKAGES = [
  'python3',
  'python3-djangorestframework-simplejwt',
  // Which that one needs, and does not say so.
  'python3-pkg-resources',
  'python3-jwt',
  'python3-cryptography',
  'python3-redis',
]

/** Rejects when there is none and none can be fetched, and says what would help. */
export async function python(): Promise<Program> {
  const program = await debianProgram({
    folder: 'python',
    packages: PACKAGES,
    file: 'usr/bin/python3',
    names: ['python3'],
    suits: hasModules,
  })
  const own = { PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' }
  if (program.root === null) return { ...program, env: { ...program.env, ...own } }
  const packages = path.join(program.root, 'usr/lib/python3/dist-packages')
  return { ...program, env: { ...program.env, ...own, PYTHONPATH: packages } }
}

async function hasModules({ executablePath, env }: Program): Promise<boolean> {
  return await run(executablePath, ['-c', `import ${MODULES.join(', ')}`], { env, timeout: 20_000 }).then(
    () => true,
    () => false,
  )
}
