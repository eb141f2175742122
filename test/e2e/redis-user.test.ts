// Redis users: the one of the manual can do all that is needed; one that hides what must be seen is refused.
import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { addUser } from '../support/service/add-user.ts'
import { eventually, untilReady, loggedInAt } from '../support/service/environment.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { runSignoff, startSignoff, type Signoff } from '../support/service/signoff.ts'

const CANNOT_LOOK =
  /the Redis user may not run INFO, so nobody can see whether Redis evicts denials: grant it \+info \(NOPERM /
const REBUILD = ['+scan', '+unlink', '+dbsize']
const PREFIX = 'shop:'

/** The rules of the manual, with the keys of a prefix. */
async function manualRules(): Promise<string[]> {
  const manual = await readFile('docs/redis-user.md', 'utf8')
  const [, rules = ''] = /^ACL SETUSER signoff (.*)$/m.exec(manual) ?? []
  return rules
    .replace('PASSWORD', 'pass')
    .split(' ')
    .map((rule) => rule.replace(/^~/, `~${PREFIX}`))
}

describe('a Redis user', () => {
  let database: TestDatabase
  let redis: TestRedis
  let signoff: Signoff | undefined

  beforeEach(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    signoff = undefined
  })
  afterEach(async () => {
    await signoff?.stop()
    await Promise.all([database.drop(), redis.remove()])
  })

  const urlOf = (user: string, password = 'pass') => `redis://${user}:${password}@127.0.0.1:${redis.port}`
  const serve = async (redisUrl: string, env: Record<string, string> = {}) => {
    signoff = await startSignoff({
      databaseUrl: database.url,
      redisUrl,
      env: { NODE_ENV: 'production', ...env },
    })
    return signoff
  }
  const command = async (args: string[], redisUrl: string, env: Record<string, string> = {}) =>
    await runSignoff(args, { env: { DATABASE_URL: database.url, REDIS_URL: redisUrl, ...env } })
  const readiness = async (running: Signoff) =>
    (await running.call('/readyz', { method: 'GET' })).json as { checks: Record<string, string> }

  it('that may not run INFO keeps serve from starting in production, and denylist status says what to grant', async () => {
    await redis.client.acl('SETUSER', 'shop', 'on', '>pass', '+@all', '-@dangerous', '~*', '&*')

    const failure = await serve(urlOf('shop')).then(() => 'it started', String)
    const status = await command(['denylist', 'status'], urlOf('shop'))

    expect(failure).to.contain('signoff serve ended with 2')
    expect(status.status).to.equal(1)
    expect(/^fit .*$/m.exec(status.stdout)?.[0]).to.match(CANNOT_LOOK)
    expect(status.stderr).to.match(CANNOT_LOOK)
  })

  it('that loses INFO is noticed, and no watermark is set until it has it again', async () => {
    await redis.client.acl('SETUSER', 'shop', 'on', '>pass', '+@all', '~*', '&*')
    const running = await serve(urlOf('shop'), { DENYLIST_LEASE: '3' })
    await untilReady(running)

    await redis.client.acl('SETUSER', 'shop', '-info')
    await eventually(async () => CANNOT_LOOK.test((await readiness(running)).checks['redis'] ?? ''), 60_000)
    await eventually(async () => (await redis.client.exists('denylist:{00}:synced')) === 0, 60_000)
    await redis.client.acl('SETUSER', 'shop', '+info')
    await eventually(async () => (await readiness(running)).checks['denylist'] === 'ok', 60_000)

    expect(running.log.filter(({ msg }) => CANNOT_LOOK.test(String(msg)))).to.have.length(1)
  })

  it('of the manual can do all that the service and its commands do, under a prefix', async () => {
    const rules = await manualRules()
    await redis.client.acl('SETUSER', 'signoff', ...rules)
    await redis.client.acl('SETUSER', 'rebuild', ...rules, ...REBUILD)
    const env = { REDIS_PREFIX: PREFIX }
    await addUser(database, 'alice')
    const running = await serve(urlOf('signoff'), env)
    await untilReady(running)

    const { refresh } = await loggedInAt(running)
    const wrong = await running.post('/auth/login/', { username: 'alice', password: 'wrong' })
    const logout = await running.post('/auth/logout/', { refresh_token: refresh })
    const refreshed = await running.post('/auth/token/refresh/', { refresh })
    const disabled = await command(['user', 'disable', 'alice'], urlOf('signoff'), env)
    const rebuilt = await command(['denylist', 'rebuild'], urlOf('rebuild'), env)
    const status = await command(['denylist', 'status'], urlOf('signoff'), env)
    const answers = [wrong, logout, refreshed].map((answer) => answer.status)
    const keys = await redis.client.keys('*')
    const refused = await redis.client.acl('LOG')
    const commands = await redis.client.info('commandstats')

    expect(answers).to.deep.equal([401, 200, 401])
    expect([disabled, rebuilt, status].map(({ status: code }) => code)).to.deep.equal([0, 0, 0])
    expect(disabled.stderr).to.equal('')
    expect(keys.filter((key) => !key.startsWith(PREFIX))).to.deep.equal([])
    expect(keys.filter((key) => key.startsWith(`${PREFIX}attempts:`))).to.not.be.empty
    expect(refused).to.deep.equal([])
    expect(commands).to.contain('cmdstat_evalsha')
    expect(JSON.stringify(running.log)).to.not.contain('NOPERM')
  })

  it('whose password is wrong is told as that, and its password to nobody', async () => {
    const running = await serve(urlOf('nobody', 'hunter2'))

    await eventually(async () =>
      /^wrong credentials: /.test((await readiness(running)).checks['redis'] ?? ''),
    )

    expect(JSON.stringify(running.log)).to.not.contain('hunter2').and.not.contain('no answer')
  })
})
