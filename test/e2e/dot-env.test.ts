// The settings from .env in the working directory, as the real process takes them.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { freePort } from '../../src/embedded/process/free-port.ts'
import { eventually } from '../support/service/environment.ts'
import { testDatabase } from '../support/servers/postgres.ts'
import { testRedis } from '../support/servers/redis.ts'

const PROGRAM = resolve('dist/main.js')
const KEYS = { SIGNING_KEYS_FILE: 'signing-keys.json', REFRESH_KEY_FILE: 'refresh-key' }

describe('.env', () => {
  let directory: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-dot-env-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true })
  })

  const writeDotEnv = async (settings: Record<string, string | number>, more = ''): Promise<void> => {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
    await writeFile(join(directory, '.env'), `${more}${lines.join('')}`)
  }

  const launch = (args: string[], env: Record<string, string> = {}): ChildProcessWithoutNullStreams => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: directory,
      env: { PATH: process.env['PATH'], ...env },
    })
    child.stdout.resume()
    return child
  }

  const run = async (args: string[], env: Record<string, string> = {}) => {
    const child = launch(args, env)
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const [status] = (await once(child, 'close')) as [number | null]
    return { status, stderr }
  }

  const answers = async (port: number): Promise<boolean> =>
    await fetch(`http://127.0.0.1:${port}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )

  describe('under signoff serve', () => {
    const stops: (() => Promise<void>)[] = []

    afterEach(async () => {
      for (const stop of stops.splice(0).reverse()) await stop()
    })

    /** Serves from .env alone, but for `env`; resolves once `port` answers. */
    const serve = async (dotEnvPort: number, port: number, env: Record<string, string>): Promise<void> => {
      const [database, redis] = await Promise.all([testDatabase(), testRedis()])
      stops.push(async () => {
        await Promise.all([database.drop(), redis.remove()])
      })
      await writeDotEnv({
        ...KEYS,
        PORT: dotEnvPort,
        ADMIN_PORT: 0,
        HOST: '127.0.0.1',
        TLS: 'off',
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
      })
      expect(await run(['keys', 'generate'])).to.deep.equal({ status: 0, stderr: '' })

      const child = launch(['serve'], env)
      const exited = once(child, 'exit')
      stops.push(async () => {
        child.kill('SIGTERM')
        await exited
      })
      await eventually(async () => await answers(port))
    }

    it('gives the port and all that production needs', async () => {
      const port = await freePort()

      await serve(port, port, {})

      expect(await answers(port)).to.equal(true)
    })

    it('gives way to the real variables', async () => {
      const [inFile, real] = [await freePort(), await freePort()]

      await serve(inFile, real, { PORT: String(real) })

      expect(await answers(real)).to.equal(true)
      expect(await answers(inFile)).to.equal(false)
    })
  })

  it('counts where the real variable is empty', async () => {
    await writeDotEnv(KEYS)

    const { status } = await run(['keys', 'generate'], { SIGNING_KEYS_FILE: '' })

    expect(status).to.equal(0)
    expect(await readdir(directory)).to.include.members(Object.values(KEYS))
  })

  it('may have broken lines and settings of others', async () => {
    await writeDotEnv(KEYS, '# ours\n\n  \nnonsense\n=x\nDJANGO_SETTINGS_MODULE=app\nPATH=/nowhere\n')

    const { status, stderr } = await run(['keys', 'generate'])

    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
    expect(await readdir(directory)).to.include.members(Object.values(KEYS))
  })

  it('is told of with all that is wrong in it, and exit status 2', async () => {
    await writeDotEnv({ PORT: 'http', TRUST_PROXY: 'nginx', ALLOWED_ORIGINS: '*' })

    const { status, stderr } = await run(['serve'])

    expect(status).to.equal(2)
    for (const name of ['PORT', 'TRUST_PROXY', 'ALLOWED_ORIGINS']) expect(stderr).to.contain(`  - ${name}: `)
  })

  it('is told of where it cannot be read, and exit status 2', async () => {
    await mkdir(join(directory, '.env'))

    const { status, stderr } = await run(['keys', 'list'])

    expect(status).to.equal(2)
    expect(stderr).to.contain('  - .env: ')
  })

  it('is not needed for --help, nor looked at', async () => {
    await mkdir(join(directory, '.env'))

    expect(await run(['--help'])).to.deep.equal({ status: 0, stderr: '' })
  })
})
