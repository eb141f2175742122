// Two instances that do not have the same settings: both say so, name them, and go on.
import { expect } from 'chai'
import { addUser, PASSWORD } from '../support/service/add-user.ts'
import { eventually } from '../support/service/environment.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { readiness, severalInstances, stopAll, untilAllReady } from '../support/service/several-instances.ts'
import { runSignoff, type Signoff } from '../support/service/signoff.ts'

describe('two instances with other settings', () => {
  let database: TestDatabase
  let redis: TestRedis
  let instances: Signoff[]

  before(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    const stores = { databaseUrl: database.url, redisUrl: redis.url }
    instances = await severalInstances([
      { ...stores, env: { LEEWAY: '5' } },
      { ...stores, env: { LEEWAY: '6' } },
    ])
    await addUser(database, 'alice')
    await untilAllReady(instances)
  })
  after(async () => {
    await stopAll(instances)
    await Promise.all([redis.remove(), database.drop()])
  })

  const settingsOf = async (instance: Signoff) =>
    ((await readiness(instance)).json as { settings: string }).settings
  const warnings = ({ log }: Signoff) =>
    log.map(({ msg }) => String(msg)).filter((line) => line.startsWith('the instances differ'))

  it('are ready, and both say what differs, and at which of them', async () => {
    for (const instance of instances) {
      await eventually(async () => (await settingsOf(instance)) !== 'ok')

      const { status } = await readiness(instance)

      expect(status).to.equal(200)
      expect(await settingsOf(instance)).to.equal(
        'the instances differ in LEEWAY: the log says which has what',
      )
      expect(warnings(instance)[0]).to.match(/: LEEWAY is [56] at \S+:\d+; [56] at \S+:\d+$/)
    }
  })

  it('are not joined by a command, which has nothing to agree on', async () => {
    const env = {
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      LEEWAY: '9',
      ISSUER: 'https://elsewhere.test',
    }

    const { status } = await runSignoff(['user', 'set-password', 'alice'], { env, input: PASSWORD })

    expect(status).to.equal(0)
    const rows = await database.sql<{ settings: string | null }>(
      `SELECT settings FROM instances WHERE name LIKE 'command %'`,
    )
    expect(rows).to.deep.equal([{ settings: null }])
    expect(instances.flatMap(warnings).filter((line) => /ISSUER|command/.test(line))).to.deep.equal([])
  })
})
