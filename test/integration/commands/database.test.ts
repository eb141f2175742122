// Which database and Redis the commands beside a service work on.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { storeUrlsOf } from '../../../src/commands/database.ts'
import { readConfig } from '../../../src/config.ts'
import { ConfigError } from '../../../src/settings/config-error.ts'
import { holdDataDir } from '../../../src/embedded/data-dir/hold-data-dir.ts'

const RUNNING = { databaseUrl: 'postgres://localhost:1/running', redisUrl: 'redis://localhost:1' }
const OTHER = { databaseUrl: 'postgres://localhost:2/other', redisUrl: 'redis://localhost:2' }

describe('storeUrlsOf', () => {
  let dataDir: string
  let stop: () => Promise<void>

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'signoff-stores-'))
    const held = await holdDataDir(dataDir)
    if (!held.ok) throw new Error('the data directory is taken')
    await held.publish({ pid: process.pid, ...RUNNING })
    stop = held.release
  })
  afterEach(async () => {
    await stop()
    await rm(dataDir, { recursive: true })
  })

  it('takes those of the running service where nothing is set', async () => {
    expect(await urls({})).to.deep.include(RUNNING)
  })

  it('takes those that are set before those of the running service', async () => {
    expect(await urls({ DATABASE_URL: OTHER.databaseUrl, REDIS_URL: OTHER.redisUrl })).to.deep.include(OTHER)
  })

  it('takes the other one of the running service where one is set as it has it', async () => {
    expect(await urls({ DATABASE_URL: RUNNING.databaseUrl })).to.deep.include(RUNNING)
    expect(await urls({ REDIS_URL: RUNNING.redisUrl })).to.deep.include(RUNNING)
  })

  it('never puts one service’s Redis to another one’s database', async () => {
    expect(await refusal({ DATABASE_URL: OTHER.databaseUrl })).to.match(/set both, or neither/)
    expect(await refusal({ REDIS_URL: OTHER.redisUrl })).to.match(/set both, or neither/)
  })

  it('names both where nothing is set and nothing runs', async () => {
    await stop()

    const message = await refusal({})

    expect(message)
      .to.match(/DATABASE_URL: is needed/)
      .and.match(/REDIS_URL: is needed/)
  })

  async function urls(env: Record<string, string>) {
    return await storeUrlsOf(readConfig({ DATA_DIR: dataDir, ...env }))
  }

  async function refusal(env: Record<string, string>): Promise<string> {
    const error = await urls(env).catch((failure: unknown) => failure)
    expect(error).to.be.instanceOf(ConfigError)
    return (error as ConfigError).message
  }
})
