// The user of an empty database, however many starts find it empty.
import { access, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { demoUser } from '../../../src/commands/demo-user.ts'
import { readConfig } from '../../../src/config.ts'
import { testDatabase, type TestDatabase } from '../../support/servers/postgres.ts'

describe('demoUser', () => {
  let database: TestDatabase
  let directories: string[]

  beforeEach(async () => {
    database = await testDatabase()
    directories = await Promise.all([1, 2].map(async () => await mkdtemp(join(tmpdir(), 'signoff-demo-'))))
  })
  afterEach(async () => {
    await database.drop()
    for (const directory of directories) await rm(directory, { recursive: true })
  })

  const provide = async (dataDir: string) =>
    await demoUser(readConfig({}), { dataDir, databaseUrl: database.url })

  it('is made by one of two that find nobody at the same moment, and the other keeps no password', async () => {
    const made = await Promise.all(directories.map(provide))

    const [demo, ...others] = made.filter((user) => user !== null)
    expect(others).to.deep.equal([])
    expect(await readFile(demo?.passwordFile ?? '', 'utf8')).to.have.length(24)
    const bare = directories[made.indexOf(null)] ?? ''
    const found = await access(join(bare, 'demo-password')).then(
      () => true,
      () => false,
    )
    expect(found).to.equal(false)
  })

  it('is found again by who made it, and by nobody else', async () => {
    const [one = '', other = ''] = directories
    const made = await provide(one)

    const found = [await provide(one), await provide(other)]

    expect(found).to.deep.equal([made, null])
  })
})
