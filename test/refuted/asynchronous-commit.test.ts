// A Postgres that is told not to wait for its disk: a logout waits all the same, or nobody says that it held.
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { crashablePostgres, type CrashablePostgres } from '../support/servers/crashable-postgres.ts'
import { eventually } from '../support/service/environment.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { sessionsInBulk, type BulkSession } from '../support/service/sessions-in-bulk.ts'
import {
  A_MINUTE_MS,
  keysOf,
  readiness,
  refreshed,
  untilAllReady,
} from '../support/service/several-instances.ts'
import { startSignoff, type Signoff } from '../support/service/signoff.ts'

/** For a machine that does much else. */
const TIMEOUT_MS = 240_000
const LOGOUTS = 10

describe('a Postgres that does not wait for its disk', function () {
  this.timeout(TIMEOUT_MS)
  let postgres: CrashablePostgres
  let redis: TestRedis
  let signoff: Signoff

  before(async () => {
    ;[postgres, redis] = await Promise.all([crashablePostgres(), testRedis()])
    // What it writes late, it writes very late.
    await set(`SYSTEM SET wal_writer_delay = '10s'`)
  })
  afterEach(async () => {
    await signoff.stop()
  })
  after(async () => {
    await Promise.all([postgres.remove(), redis.remove()])
  })

  for (const whose of ['ROLE signoff', 'DATABASE signoff', 'SYSTEM']) {
    it(`forgets no logout in a crash, when ALTER ${whose} has said so`, async () => {
      await set(`${whose} SET synchronous_commit = off`)
      signoff = await start()
      await untilAllReady([signoff])
      const sessions = await durableSessions()

      const statuses = await loggedOut(sessions)
      await crash()

      const next = await start(keysOf(signoff))
      try {
        const after = await Promise.all(sessions.map(async ({ token }) => await refreshed(next, token)))
        expect(statuses).to.deep.equal(sessions.map(() => 200))
        expect(await journaled(sessions)).to.equal(LOGOUTS)
        expect(after).to.deep.equal(sessions.map(() => 401))
      } finally {
        await set(`${whose} RESET synchronous_commit`)
        await next.stop()
      }
    })
  }

  it('is complained of when it never waits, and keeps serve from starting in production', async () => {
    await set('SYSTEM SET fsync = off')
    signoff = await start()

    let ready = ''
    await eventually(async () => {
      ready = (await readiness(signoff)).text
      return /fsync/.test(ready)
    }, A_MINUTE_MS).catch(() => undefined)
    const failure = await start({ NODE_ENV: 'production' }).then(
      async (started) => {
        await started.stop()
        return 'it started'
      },
      (error: unknown) => String(error),
    )

    expect(ready).to.match(/fsync/)
    expect(failure).to.match(/signoff serve ended with [12]/)
    expect(failure).to.match(/signoff: [^]*fsync/)
  })

  async function start(env: Record<string, string> = {}): Promise<Signoff> {
    return await startSignoff({ databaseUrl: postgres.url, redisUrl: redis.url, env })
  }

  async function set(what: string): Promise<void> {
    await postgres.sql(`ALTER ${what}`)
    await postgres.sql('SELECT pg_reload_conf()')
  }

  /** On the disk, as the settings are. */
  async function durableSessions(): Promise<BulkSession[]> {
    const bulk = await sessionsInBulk({ database: postgres, files: signoff.files })
    const sessions = await bulk.begin({ userIds: await bulk.addUsers([randomUUID()]), count: LOGOUTS })
    await postgres.sql('CHECKPOINT')
    return sessions
  }

  async function loggedOut(sessions: BulkSession[]): Promise<number[]> {
    const asked = sessions.map(async ({ token }) => {
      return (await signoff.post('/auth/logout/', { refresh_token: token })).status
    })
    return await Promise.all(asked)
  }

  /** Of everything at once, and Redis comes back empty: only the journal is left to tell. */
  async function crash(): Promise<void> {
    const killed = postgres.kill()
    signoff.kill('SIGKILL')
    await Promise.all([killed, signoff.exited, redis.client.flushall()])
    await postgres.start()
  }

  async function journaled(sessions: BulkSession[]): Promise<number> {
    const ids = sessions.map(({ id }) => id)
    const rows = await postgres.sql('SELECT 1 FROM revocations WHERE denied_id = ANY($1)', [ids])
    return rows.length
  }
})
