// What serve makes of the schema that it finds: too old, newer than itself, or not to be looked at.
import { expect } from 'chai'
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { runSignoff, startSignoff, type Signoff } from '../support/service/signoff.ts'

describe('signoff serve', () => {
  let redis: TestRedis
  let database: TestDatabase
  let signoff: Signoff | null

  before(async () => {
    redis = await testRedis()
  })
  after(async () => {
    await redis.remove()
  })
  beforeEach(() => {
    signoff = null
  })
  afterEach(async () => {
    await signoff?.stop()
    await database.drop()
  })

  const start = async (databaseUrl = database.url): Promise<string> => {
    try {
      signoff = await startSignoff({ databaseUrl, redisUrl: redis.url })
      return 'serves'
    } catch (error) {
      return String(error)
    }
  }

  it('does not start on a schema that is not there yet, and says how to make it', async () => {
    database = await emptyDatabase()

    expect(await start())
      .to.contain('the database lacks 001-sessions-and-journal')
      .and.to.contain('run signoff migrate')
  })

  it('serves from a schema that a newer program has brought further, and says so', async () => {
    database = await testDatabase()
    await database.sql(
      `INSERT INTO signoff_migrations (name, batch, migration_time) VALUES ('999-from-the-future', 99, now())`,
    )

    expect(await start()).to.equal('serves')
    expect(signoff?.log.map(({ msg }) => msg)).to.include(
      'the schema of the database is newer than this program (999-from-the-future): update the program',
    )
    const migrated = await runSignoff(['migrate'], { env: { DATABASE_URL: database.url } })
    expect(migrated).to.deep.include({
      status: 0,
      stdout:
        'nothing to apply: the schema of the database is newer than this program (999-from-the-future)\n',
    })
  })

  it('does not start where its role may not look at the schema, and says what Postgres says', async () => {
    database = await testDatabase()
    const role = `blind_${process.pid}`
    await database.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'blind'`)
    const url = Object.assign(new URL(database.url), { username: role, password: 'blind' })

    expect(await start(url.href)).to.contain('permission denied for table signoff_migrations')
  })
})
