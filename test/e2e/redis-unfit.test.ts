// A Redis that may forget denials, or has no room for them: refused or complained of, and no logout is lost.
import { expect } from 'chai'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import {
  eventually,
  testEnvironment,
  untilReady,
  type TestEnvironment,
} from '../support/service/environment.ts'
import { startSignoff } from '../support/service/signoff.ts'

const EVICTS =
  'Redis may evict denials, which undoes logouts: set maxmemory-policy to noeviction (it is allkeys-lru)'

describe('a Redis that may evict', () => {
  let database: TestDatabase
  let redis: TestRedis

  beforeEach(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
  })
  afterEach(async () => {
    await Promise.all([database.drop(), redis.remove()])
  })

  const start = async (env: Record<string, string>) =>
    await startSignoff({ databaseUrl: database.url, redisUrl: redis.url, env })

  it('keeps serve from starting in production, and is told what to do about it', async () => {
    const failure = await start({ NODE_ENV: 'production' }).then(
      async (signoff) => {
        await signoff.stop()
        return 'it started'
      },
      (error: unknown) => String(error),
    )

    expect(failure).to.contain('signoff serve ended with 2')
  })

  it('is complained of elsewhere, in the log and by /readyz', async () => {
    const signoff = await start({})
    try {
      await eventually(async () => await Promise.resolve(signoff.log.some(({ msg }) => msg === EVICTS)))
      const ready = await signoff.call('/readyz', { method: 'GET' })

      expect(ready.status).to.equal(503)
      expect(ready.json).to.have.nested.property('checks.redis', EVICTS)
    } finally {
      await signoff.stop()
    }
  })

  it('is no longer believed when it becomes one in production', async () => {
    await redis.client.config('SET', 'maxmemory-policy', 'noeviction')
    const signoff = await start({ NODE_ENV: 'production', DENYLIST_LEASE: '3' })
    try {
      await untilReady(signoff)
      await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
      // It looks again on each connection.
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal')

      await eventually(async () => (await redis.client.exists('denylist:{00}:synced')) === 0)
    } finally {
      await signoff.stop()
    }
  })
})

describe('a Redis without room', () => {
  let env: TestEnvironment

  beforeEach(async () => {
    env = await testEnvironment()
  })
  afterEach(async () => {
    await env.stop()
  })

  it('costs no logout: it is durable, refused at once, counted, and /readyz says so until there is room', async () => {
    const pair = await env.login()
    await env.redis.client.config('SET', 'maxmemory', '1')

    const logout = await env.signoff.post('/auth/logout/', { refresh_token: pair.refresh })
    const refreshed = await env.signoff.post('/auth/token/refresh/', { refresh: pair.refresh })
    const ready = await env.signoff.call('/readyz', { method: 'GET' })
    const metrics = await (await fetch(`${env.signoff.adminUrl}/metrics`)).text()

    expect([logout.status, refreshed.status, ready.status]).to.deep.equal([200, 401, 503])
    expect(ready.json).to.have.nested.property(
      'checks.redis',
      'out of memory: logouts are kept by Postgres alone until it has room (raise maxmemory)',
    )
    expect(metrics).to.match(/^signoff_denylist_write_failures_total 1$/m)

    await env.redis.client.config('SET', 'maxmemory', '0')
    await untilReady(env.signoff)
    const afterwards = await env.signoff.post('/auth/token/refresh/', { refresh: pair.refresh })
    expect(afterwards.status).to.equal(401)
  })
})
