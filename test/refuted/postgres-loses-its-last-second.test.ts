// A Postgres that has lost what it acknowledged last, as after a failover to a replica that lagged: logouts hold.
import { expect } from 'chai'
import { crashablePostgres, type CrashablePostgres } from '../support/servers/crashable-postgres.ts'
import { during } from '../support/clients/during.ts'
import { claimsOf, eventually } from '../support/service/environment.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { sessionsInBulk, type BulkSession } from '../support/service/sessions-in-bulk.ts'
import {
  A_MINUTE_MS,
  refreshed,
  severalInstances,
  stopAll,
  untilAllReady,
} from '../support/service/several-instances.ts'
import { runSignoff, type Answer, type Signoff } from '../support/service/signoff.ts'

/** For a machine that does much else. */
const TIMEOUT_MS = 240_000
/** Longer than a slow machine takes for all of this. */
const SETTINGS = { ROTATION_GRACE: '300' }

/** The statuses of all that was tried with the tokens of ended sessions. */
interface Tried {
  plain: Set<number>
  rotating: Set<number>
}

describe('a Postgres that loses its last second', function () {
  this.timeout(TIMEOUT_MS)
  let postgres: CrashablePostgres
  let redis: TestRedis
  let instances: Signoff[]
  /** Logged out in that second. */
  let plain: BulkSession
  let rotating: BulkSession
  /** Rotated in that second, and the tokens that replaced theirs. */
  let newestFirst: { before: string; newest: string }
  let olderFirst: { before: string; newest: string }
  let whileItCameBack: Tried
  let afterRebuild: Tried

  before(async () => {
    ;[postgres, redis] = await Promise.all([crashablePostgres(), testRedis()])
    const stores = { databaseUrl: postgres.url, redisUrl: redis.url, env: SETTINGS }
    instances = await severalInstances([stores, stores])
    await begin()
    await postgres.keep()
    await untilAllReady(instances)
    await theLastSecond()
    whileItCameBack = await triedDuring(setBack())
    afterRebuild = await triedDuring(rebuild())
  })
  after(async () => {
    await stopAll(instances)
    await Promise.all([postgres.remove(), redis.remove()])
  })

  it('forgets no logout while it comes back', () => {
    expect([...whileItCameBack.plain]).to.not.include(200)
  })

  it('lets nobody rotate who was logged out', () => {
    expect([...whileItCameBack.rotating]).to.not.include(200)
  })

  it('forgets no logout when Redis is written anew from its journal', () => {
    expect([...afterRebuild.plain, ...afterRebuild.rotating]).to.not.include(200)
  })

  it('takes the newest token of a session that was rotated, and gives the same successor again', async () => {
    const [first, again] = [await rotated(newestFirst.newest), await rotated(newestFirst.newest)]

    expect([first.status, again.status]).to.deep.equal([200, 200])
    expect(refreshTokenOf(again)).to.equal(refreshTokenOf(first))
  })

  it('takes the token before for the one before', async () => {
    const replayed = await rotated(olderFirst.before)

    expect(replayed.status).to.equal(200)
    expect(claimsOf(refreshTokenOf(replayed))['jti']).to.equal(claimsOf(olderFirst.newest)['jti'])
    expect((await rotated(olderFirst.newest)).status).to.equal(200)
  })

  it('has both logouts in its journal again, which mends an emptied Redis', async () => {
    await eventually(async () => (await journaled()) === 2, A_MINUTE_MS)
    const emptied = await triedDuring(emptyRedis())

    expect([...emptied.plain, ...emptied.rotating]).to.not.include(200)
  })

  async function begin(): Promise<void> {
    const [first] = instances
    if (!first) throw new Error('no instance')
    const bulk = await sessionsInBulk({ database: postgres, files: first.files, settings: SETTINGS })
    const userIds = await bulk.addUsers(['ann', 'ben', 'cem', 'dan'])
    const sessions = await bulk.begin({ userIds, count: 3, rotates: true })
    ;[plain] = (await bulk.begin({ userIds, count: 1 })) as [BulkSession]
    const [one, two, three] = sessions as [BulkSession, BulkSession, BulkSession]
    rotating = one
    newestFirst = { before: two.token, newest: '' }
    olderFirst = { before: three.token, newest: '' }
  }

  async function theLastSecond(): Promise<void> {
    const [one] = instances
    const logouts = [
      await one?.post('/auth/logout/', { refresh_token: plain.token }),
      await one?.post('/api/v1/auth/logout', { refresh_token: rotating.token }),
    ]
    expect(logouts.map((answer) => answer?.status)).to.deep.equal([200, 204])
    for (const pair of [newestFirst, olderFirst]) pair.newest = refreshTokenOf(await rotated(pair.before))
  }

  async function setBack(): Promise<void> {
    await postgres.setBack()
    await untilAllReady(instances)
  }

  /** By the command, from whatever the journal has. */
  async function rebuild(): Promise<void> {
    const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url }
    const { status, stderr } = await runSignoff(['denylist', 'rebuild'], { env })
    expect(status, stderr).to.equal(0)
    await untilAllReady(instances)
  }

  async function emptyRedis(): Promise<void> {
    await redis.client.flushall()
    await untilAllReady(instances)
  }

  async function triedDuring(work: Promise<void>): Promise<Tried> {
    const answers = await during(work, async () => ({
      plain: await Promise.all(instances.map(async (instance) => await refreshed(instance, plain.token))),
      rotating: await Promise.all(
        instances.map(async (instance) => (await rotated(rotating.token, instance)).status),
      ),
    }))
    return {
      plain: new Set(answers.flatMap((answer) => answer.plain)),
      rotating: new Set(answers.flatMap((answer) => answer.rotating)),
    }
  }

  async function rotated(refresh_token: string, instance = instances[0]): Promise<Answer> {
    if (!instance) throw new Error('no instance')
    return await instance.post('/api/v1/auth/refresh', { refresh_token })
  }

  async function journaled(): Promise<number> {
    const ids = [plain.id, rotating.id]
    const rows = await postgres.sql('SELECT 1 FROM revocations WHERE denied_id = ANY($1)', [ids])
    return rows.length
  }
})

function refreshTokenOf({ json }: Answer): string {
  return (json as { refresh_token?: string } | undefined)?.refresh_token ?? ''
}
