// Two instances on the same stores, started at the same moment on an empty database.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { Agent } from 'undici'
import { generateKeys } from '../../src/commands/keys.ts'
import type { RunningInfo } from '../../src/embedded/data-dir/hold-data-dir.ts'
import { eventually, type Pair } from '../support/service/environment.ts'
import { emptyDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { caller, type Signoff } from '../support/service/signoff.ts'

const PROGRAM = resolve('dist/main.js')

interface Started {
  child: ChildProcess
  dataDir: string
  output: () => string
}

describe('two instances that start at the same moment on an empty database', () => {
  let directory: string
  let database: TestDatabase
  let redis: TestRedis
  let both: Started[]

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signoff-two-'))
    ;[database, redis] = await Promise.all([emptyDatabase(), testRedis()])
    await generateKeys(keyFiles())
    both = await Promise.all([start('one'), start('other')])
  })
  afterEach(async () => {
    await Promise.all(
      both.map(async ({ child }) => {
        if (child.exitCode !== null) return
        child.kill('SIGTERM')
        await once(child, 'exit')
      }),
    )
    await Promise.all([database.drop(), redis.remove()])
    await rm(directory, { recursive: true, force: true })
  })

  it('both serve; one of them made the schema, and one the first user', async () => {
    await Promise.all(both.map(untilUp))

    const said = (text: string) => both.filter(({ output }) => output().includes(text)).length
    expect(said('Brought the database schema up to date')).to.equal(1)
    expect(said('-d username=demo')).to.equal(1)
    expect(await database.sql('SELECT username FROM users')).to.deep.equal([{ username: 'demo' }])
  })

  it('are one service: what one of them lets in, the other puts out', async () => {
    const [one, other] = await Promise.all(both.map(untilUp))
    if (!one || !other) throw new Error('not two')
    const password = await demoPassword()
    const login = await one('/auth/login/', { json: { username: 'demo', password } })
    const { refresh } = login.json as Pair
    const refreshed = async (call: Signoff['call']) =>
      (await call('/auth/token/refresh/', { json: { refresh } })).status

    const before = await refreshed(other)
    const loggedOut = await other('/auth/logout/', { json: { refresh_token: refresh } })
    const atOnce = await refreshed(other)

    expect([login.status, before, loggedOut.status, atOnce]).to.deep.equal([200, 200, 200, 401])
    await eventually(async () => (await refreshed(one)) === 401)
  })

  const keyFiles = () => ({
    signingKeysFile: join(directory, 'signing-keys.json'),
    refreshKeyFile: join(directory, 'refresh-key'),
  })

  async function start(name: string): Promise<Started> {
    const dataDir = join(directory, name)
    await mkdir(dataDir)
    const child = spawn(process.execPath, [PROGRAM, 'start'], {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        HOST: '127.0.0.1',
        PORT: '0',
        ADMIN_PORT: '0',
        DATA_DIR: dataDir,
        DATABASE_URL: database.url,
        REDIS_URL: redis.url,
        SIGNING_KEYS_FILE: keyFiles().signingKeysFile,
        REFRESH_KEY_FILE: keyFiles().refreshKeyFile,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    return { child, dataDir, output: () => output }
  }

  /** Resolves to its caller. */
  async function untilUp({ child, dataDir, output }: Started): Promise<Signoff['call']> {
    const isUp = () => output().includes('Signoff is up')
    await eventually(() => isUp() || child.exitCode !== null)
    if (!isUp()) throw new Error(output())
    const { url } = JSON.parse(await readFile(join(dataDir, 'running.json'), 'utf8')) as RunningInfo
    const ca = await readFile(join(dataDir, 'tls/cert.pem'))
    return caller(url ?? '', new Agent({ connect: { ca } }))
  }

  async function demoPassword(): Promise<string> {
    const read = both.map(
      async ({ dataDir }) => await readFile(join(dataDir, 'demo-password'), 'utf8').catch(() => null),
    )
    const passwords = (await Promise.all(read)).filter((password) => password !== null)
    expect(passwords).to.have.length(1)
    return passwords[0] ?? ''
  }
})
