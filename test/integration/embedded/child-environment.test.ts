// The environment of the programs that are run for a laptop: none of the service's secrets is in it.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import { postgresAccount } from '../../../src/embedded/postgres/account.ts'
import { childEnv, downloadEnv } from '../../../src/embedded/process/child-env.ts'
import { findRedis } from '../../../src/embedded/redis/find-redis.ts'
import { removeDir, scratchDir } from './scratch.ts'

const SECRETS = {
  SECRET_KEY: 'secret-of-the-peers',
  DATABASE_URL: 'postgres://signoff:secret-of-postgres@db/signoff',
  REDIS_URL: 'redis://:secret-of-redis@redis',
  npm_config__auth: 'secret-of-npm',
}
const PROXY = { https_proxy: 'http://proxy.example:3128', NO_PROXY: 'localhost', APT_CONFIG: '/etc/apt-own' }

describe('the environment of a child', () => {
  let dataDir: string
  let programs: string

  before(function () {
    if (process.platform !== 'linux') this.skip()
  })
  beforeEach(async () => {
    dataDir = await scratchDir()
    programs = path.join(dataDir, 'programs')
    await mkdir(programs)
  })
  afterEach(async () => {
    await removeDir(dataDir)
  })

  /** A program that writes down its environment, a line each, and succeeds. */
  const plant = async (name: string, print = ''): Promise<void> => {
    const script = `#!/bin/sh\nenv >> '${programs}/${name}.env'\n${print}\n`
    await writeFile(path.join(programs, name), script, { mode: 0o755 })
  }
  const seenBy = async (name: string): Promise<string> =>
    await readFile(path.join(programs, `${name}.env`), 'utf8')
  const env = () => ({ ...SECRETS, ...PROXY, PATH: `${programs}:/usr/bin:/bin`, HOME: '/home/of-somebody' })

  it('has no secret for apt-get and dpkg, but what they need behind a proxy', async () => {
    await Promise.all([plant('apt-get'), plant('dpkg')])

    const redis = await findRedis({
      dataDir,
      env: { ...env(), PATH: `${programs}:/bin-without-redis:/bin` },
      say: () => undefined,
    })

    expect(redis).to.equal(null)
    const seen = `${await seenBy('apt-get')}${await seenBy('dpkg')}`
    expect(seen).not.to.include('secret-of')
    for (const [name, value] of Object.entries({ ...PROXY, HOME: '/home/of-somebody', LC_ALL: 'C' })) {
      expect(await seenBy('apt-get')).to.include(`${name}=${value}\n`)
    }
  })

  it('has no secret for a Redis that is asked for its version', async () => {
    await plant('redis-server', 'echo "Redis server v=7.0.0"')

    const redis = await findRedis({ dataDir, env: env(), say: () => undefined })

    expect(redis?.path).to.equal(path.join(programs, 'redis-server'))
    expect(await seenBy('redis-server')).not.to.include('secret-of')
    expect(JSON.stringify(redis?.env)).not.to.include('secret-of')
  })

  it('has no secret for what finds another identity for Postgres under root', async function () {
    if (process.getuid?.() !== 0) this.skip()
    await Promise.all([plant('unshare', 'exit 1'), plant('id', 'echo 65534')])

    // The folder may be closed to that identity: of that it complains, after it has asked.
    await postgresAccount(env(), { programs: '/bin/sh', dataDir, home: dataDir }).catch(() => undefined)

    expect(`${await seenBy('unshare')}${await seenBy('id')}`).not.to.include('secret-of')
  })

  it('knows of proxies only where something is fetched', () => {
    expect(childEnv({ ...SECRETS, ...PROXY, PATH: '/bin' })).to.deep.equal({ PATH: '/bin', LC_ALL: 'C' })
    expect(downloadEnv({ ...SECRETS, ...PROXY, PATH: '/bin' })).to.deep.equal({
      ...PROXY,
      PATH: '/bin',
      LC_ALL: 'C',
    })
  })
})
