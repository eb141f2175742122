// A Redis whose user may not ask how it is set up: it is not taken for one that is set up well.
import { expect } from 'chai'
import { eventually } from '../support/service/environment.ts'
import { testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { A_MINUTE_MS, readiness } from '../support/service/several-instances.ts'
import { startSignoff, type Signoff } from '../support/service/signoff.ts'

/** For a machine that does much else. */
const TIMEOUT_MS = 180_000
const NAMED = /INFO|NOPERM/

describe('a Redis user without INFO', function () {
  this.timeout(TIMEOUT_MS)
  let database: TestDatabase
  let redis: TestRedis

  beforeEach(async () => {
    ;[database, redis] = await Promise.all([testDatabase(), testRedis()])
    await redis.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await redis.client.acl('SETUSER', 'shop', 'on', '>secret', '~*', '&*', '+@all', '-@dangerous')
  })
  afterEach(async () => {
    await Promise.all([database.drop(), redis.remove()])
  })

  const start = async (env: Record<string, string>): Promise<Signoff> =>
    await startSignoff({
      databaseUrl: database.url,
      redisUrl: `redis://shop:secret@127.0.0.1:${redis.port}`,
      env,
    })

  it('keeps serve from starting in production, for the reason that it is', async () => {
    const failure = await start({ NODE_ENV: 'production' }).then(
      async (signoff) => {
        await signoff.stop()
        return 'it started'
      },
      (error: unknown) => String(error),
    )

    expect(failure).to.match(/signoff serve ended with [12]/)
    // Its own last words: the driver warns of it in any case.
    expect(failure).to.match(/signoff: [^]*(INFO|NOPERM)/)
  })

  it('is named by /readyz elsewhere', async () => {
    const signoff = await start({})
    try {
      let text = ''
      await eventually(async () => {
        text = (await readiness(signoff)).text
        return NAMED.test(text)
      }, A_MINUTE_MS).catch(() => undefined)

      expect(text).to.match(NAMED)
    } finally {
      await signoff.stop()
    }
  })
})
