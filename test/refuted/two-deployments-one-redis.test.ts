// Two deployments that were given the same Redis: neither loses a logout to the other, and both say what is wrong.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { migrateUp } from '../../src/store/postgres/migrate.ts'
import { during } from '../support/clients/during.ts'
import { eventually } from '../support/service/environment.ts'
import { emptyDatabase, testDatabase, type TestDatabase } from '../support/servers/postgres.ts'
import { testRedis, type TestRedis } from '../support/servers/redis.ts'
import { sessionsInBulk } from '../support/service/sessions-in-bulk.ts'
import {
  A_MINUTE_MS,
  readiness,
  refreshed,
  stopAll,
  untilAllReady,
} from '../support/service/several-instances.ts'
import { runSignoff, startSignoff, type Signoff } from '../support/service/signoff.ts'

/** For a machine that does much else. */
const TIMEOUT_MS = 300_000
const WATCHED_MS = 15_000
const ASK_EVERY_MS = 500
/** Each in another partition, as good as. */
const SESSIONS = 16
const NAMED = /another deployment/

interface Deployment {
  database: TestDatabase
  signoff: Signoff
  /** Of sessions that are over, some for an hour. */
  tokens: string[]
}

interface Shared {
  redis: TestRedis
  deployments: Deployment[]
}

/** What was seen of both together. */
interface Seen {
  /** Statuses of refreshes with tokens of ended sessions. */
  statuses: Set<number>
  status: string
  ready: string
}

describe('two deployments on one Redis', function () {
  this.timeout(TIMEOUT_MS)
  const started: Shared[] = []
  let apart: Seen
  let cloned: Seen

  before(async () => {
    ;[apart, cloned] = await Promise.all([
      seen(await share(await twoDatabases(), ['https://one.example', 'https://two.example'])),
      seen(await share(await databaseAndClone(), ['https://one.example', 'https://one.example'])),
    ])
  })
  after(async () => {
    for (const { redis, deployments } of started) {
      await stopAll(deployments.map(({ signoff }) => signoff))
      await Promise.all([
        redis.remove(),
        ...deployments.map(async ({ database }) => {
          await database.drop()
        }),
      ])
    }
  })

  for (const [name, found] of [
    ['each with a database of its own', () => apart],
    ['one with a clone of the database of the other, and the same issuer', () => cloned],
  ] as const) {
    describe(name, () => {
      it('lose no logout when Redis comes back empty', () => {
        expect([...found().statuses]).to.not.include(200)
      })

      it('are named by denylist status', () => {
        expect(found().status).to.match(NAMED)
      })

      it('are named by /readyz', () => {
        expect(found().ready).to.match(NAMED)
      })
    })
  }

  async function share(databases: TestDatabase[], issuers: string[]): Promise<Shared> {
    const shared: Shared = { redis: await testRedis(), deployments: [] }
    started.push(shared)
    for (const [index, database] of databases.entries()) {
      // As if the clone had been made while the first one is at work.
      const [first] = shared.deployments
      if (first) await copyInstances(first.database, database)
      const env = { ISSUER: issuers[index] ?? '' }
      const signoff = await startSignoff({ databaseUrl: database.url, redisUrl: shared.redis.url, env })
      shared.deployments.push({ database, signoff, tokens: await endedTokens({ database, signoff }, env) })
    }
    return shared
  }
})

async function twoDatabases(): Promise<TestDatabase[]> {
  // Not from the same template, which would be a clone.
  const another = await emptyDatabase()
  await migrateUp(another.url)
  return [await testDatabase(), another]
}

async function databaseAndClone(): Promise<TestDatabase[]> {
  const database = await testDatabase()
  return [database, await emptyDatabase(new URL(database.url).pathname.slice(1))]
}

async function copyInstances(from: TestDatabase, to: TestDatabase): Promise<void> {
  const [found] = await from.sql<{ rows: string | null }>('SELECT json_agg(i)::text AS rows FROM instances i')
  await to.sql(
    'INSERT INTO instances SELECT * FROM json_populate_recordset(NULL::instances, $1::json) ON CONFLICT DO NOTHING',
    [found?.rows ?? '[]'],
  )
}

/** Of sessions that were ended an hour ago; the last one just now, by the service itself. */
async function endedTokens(
  { database, signoff }: Pick<Deployment, 'database' | 'signoff'>,
  settings: Record<string, string>,
): Promise<string[]> {
  const bulk = await sessionsInBulk({ database, files: signoff.files, settings })
  const sessions = await bulk.begin({ userIds: await bulk.addUsers(['ann']), count: SESSIONS })
  await database.sql(`
    WITH ended AS (
      UPDATE user_sessions SET ended_at = now() - interval '1 hour', end_reason = 'logout' RETURNING id, expires_at
    )
    INSERT INTO revocations (denied_id, partition, reason, created_at, expires_at)
    SELECT id::text, right(id::text, 2), 'logout', now() - interval '1 hour', expires_at + interval '10 seconds'
    FROM ended`)
  const [last] = await bulk.begin({ userIds: await bulk.addUsers(['ben']), count: 1 })
  if (!last) throw new Error('no session')
  const answer = await signoff.post('/auth/logout/', { refresh_token: last.token })
  expect(answer.status, answer.text).to.equal(200)
  return [...sessions, last].map(({ token }) => token)
}

async function seen({ redis, deployments }: Shared): Promise<Seen> {
  await untilAllReady(
    deployments.map(({ signoff }) => signoff),
    ({ text }) => NAMED.test(text),
  )
  await redis.signal('SIGKILL')
  await redis.wipe()
  await redis.start()
  const answers = await during(sleep(WATCHED_MS), async () => await statusesOf(deployments))
  const ready = await said(deployments, async ({ signoff }) => (await readiness(signoff)).text)
  // Each time a process of its own: more than once only where there is something to wait for.
  const patienceMs = NAMED.test(ready) ? A_MINUTE_MS : 0
  const status = await said(deployments, async (one) => await statusOf(one, redis), patienceMs)
  return { statuses: new Set(answers.flat()), status, ready }
}

async function statusesOf(deployments: Deployment[]): Promise<number[]> {
  await sleep(ASK_EVERY_MS)
  const all = deployments.map(async ({ signoff, tokens }) => {
    return await Promise.all(tokens.map(async (token) => await refreshed(signoff, token)))
  })
  return (await Promise.all(all)).flat()
}

async function statusOf({ database }: Deployment, { url }: TestRedis): Promise<string> {
  const env = { DATABASE_URL: database.url, REDIS_URL: url }
  const { stdout, stderr } = await runSignoff(['denylist', 'status'], { env })
  return stdout + stderr
}

/** What one of them says of the other; else what both say in the end. */
async function said(
  deployments: Deployment[],
  ask: (deployment: Deployment) => Promise<string>,
  patienceMs = A_MINUTE_MS,
): Promise<string> {
  let texts: string[] = []
  await eventually(async () => {
    await sleep(ASK_EVERY_MS)
    texts = await Promise.all(deployments.map(ask))
    return texts.some((text) => NAMED.test(text))
  }, patienceMs).catch(() => undefined)
  return texts.join('\n')
}
