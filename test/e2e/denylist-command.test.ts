// signoff denylist status and rebuild, beside a running service and without one.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { PARTITIONS, watermarkKey } from '../../src/contract/denylist-keys.ts'
import { OTHER_DEPLOYMENT, OTHER_DEPLOYMENT_KEY } from '../../src/store/relay/other-deployment.ts'
import { holdDataDir } from '../../src/embedded/data-dir/hold-data-dir.ts'
import {
  claimsOf,
  eventually,
  testEnvironment,
  untilReady,
  type TestEnvironment,
} from '../support/service/environment.ts'
import { runSignoff } from '../support/service/signoff.ts'

const NOWHERE = { DATABASE_URL: 'postgres://nobody:x@127.0.0.1:1/none', REDIS_URL: 'redis://127.0.0.1:1' }
const PATIENCE_MS = 60_000
const LEASE_SECONDS = 60
const LOST_SID = '00000000-0000-7000-8000-0000000000ab'
/** Of that session, which the journal does not know. */
const UNKNOWN_DENIAL = `denylist:{ab}:${LOST_SID}`
const OTHER_KEYS = ['attempts:x', 'denylist:instance:x']

describe('signoff denylist', () => {
  let env: TestEnvironment

  describe('status beside a service', () => {
    oneServiceForAll()

    it('tells that Redis is in sync, by whom and with what, and exits 0', async () => {
      await deniedKey()
      const live = await liveDenials()

      const { status, stdout, stderr } = await denylist('status')
      const document = await statusDocument()

      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' })
      expect(stdout).to.match(new RegExp(`^journal +${live} live denials?$`, 'm'))
      expect(stdout).to.match(/^Redis +\d+ keys, \d+\.\d MiB, noeviction$/m)
      expect(stdout).to.match(/^in sync +256 of 256 partitions$/m)
      expect(stdout).to.match(/^watermarks +\d+\.\d s old; the oldest \d+\.\d s$/m)
      expect(stdout).to.match(
        /^sweep +(none has ended within a day|\d+\.\d s ago: looked for \d live denials? in .*, 0 were missing)$/m,
      )
      expect(stdout).to.match(new RegExp(`^leader +\\S+:${env.signoff.pid}$`, 'm'))
      expect(stdout).to.match(
        new RegExp(`^instances +1, heard of in the last 10 s: \\S+:${env.signoff.pid}$`, 'm'),
      )
      expect(document).to.have.all.keys(KEYS)
      expect(document).to.deep.include({
        in_sync: true,
        live_denials: live,
        partitions: { total: 256, in_sync: 256 },
        has_other_deployment: false,
        postgres_problem: null,
        problems: { redis: null, postgres: null },
      })
      expect(document['watermark_age_ms']).to.have.property('oldest').at.least(0)
    })

    it('shows the rest when Redis does not answer, and exits 1', async () => {
      const { status, stdout } = await denylist('status', { REDIS_URL: NOWHERE.REDIS_URL })

      expect(status).to.equal(1)
      expect(stdout).to.match(/^Redis +cannot be read: .*ECONNREFUSED/m)
      expect(stdout).to.match(/^in sync +unknown$/m)
      expect(stdout).to.match(/^journal +\d+ live denials?$/m)
      expect(stdout).to.match(new RegExp(`^leader +\\S+:${env.signoff.pid}$`, 'm'))
    })

    it('shows the rest when Postgres does not answer, and exits 1', async () => {
      const { status, stdout } = await denylist('status', { DATABASE_URL: NOWHERE.DATABASE_URL })
      const document = await statusDocument({ DATABASE_URL: NOWHERE.DATABASE_URL })

      expect(status).to.equal(1)
      expect(stdout).to.match(/^journal +cannot be read: .*ECONNREFUSED/m)
      expect(stdout).to.match(/^leader +unknown$/m)
      // Watermarks there are, but nobody can tell of which journal they speak.
      expect(stdout).to.match(/^in sync +unknown$/m)
      expect(document).to.have.all.keys(KEYS)
      expect(document).to.deep.include({
        in_sync: false,
        live_denials: null,
        partitions: null,
        watermark_age_ms: null,
      })
    })

    it('says that another deployment writes to the same Redis, and exits 1', async () => {
      await env.redis.client.set(OTHER_DEPLOYMENT_KEY, '1', 'PX', PATIENCE_MS)

      const { status, stdout } = await denylist('status')
      const document = await statusDocument()
      await env.redis.client.del(OTHER_DEPLOYMENT_KEY)
      await untilReady(env.signoff)

      expect(status).to.equal(1)
      expect(stdout).to.contain(OTHER_DEPLOYMENT)
      expect(document).to.include({ in_sync: false, has_other_deployment: true })
    })

    it('counts no watermark of another journal', async () => {
      const { status, stdout } = await denylist('status', { ISSUER: 'https://other.test' })

      expect(status).to.equal(1)
      expect(stdout).to.match(/^in sync +0 of 256 partitions$/m)
    })

    it('finds the stores of the signoff start that holds DATA_DIR', async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'signoff-denylist-'))
      const held = await holdDataDir(dataDir)
      if (!held.ok) throw new Error('the data directory is taken')
      await held.publish({ pid: process.pid, databaseUrl: env.database.url, redisUrl: env.redis.url })

      const found = await runSignoff(['denylist', 'status'], { env: { DATA_DIR: dataDir } })
      await held.release()
      const missing = await runSignoff(['denylist', 'status'], { env: { DATA_DIR: dataDir } })
      await rm(dataDir, { recursive: true })

      expect(found.status, found.stderr).to.equal(0)
      expect(missing.status).to.equal(2)
      expect(missing.stderr).to.contain('DATABASE_URL: is needed').and.contain('REDIS_URL: is needed')
    })
  })

  describe('rebuild beside a service', () => {
    oneServiceForAll()

    it('journals what only Redis has, has the running service write it anew, and removes nothing', async () => {
      const lost = await deniedKey()
      await env.redis.client.del(lost)
      await env.redis.client.mset(OTHER_KEYS.flatMap((key) => [key, '1']))
      await env.redis.client.set(UNKNOWN_DENIAL, '1', 'PX', 3_600_000)

      const { status, stdout, stderr } = await denylist('rebuild')
      const keys = await env.redis.client.keys('*')

      expect(status, stderr).to.equal(0)
      expect(stdout).to.match(
        new RegExp(
          `^1 denials that Redis had and the journal lacked were journaled again\n` +
            `written anew in [\\d.]+ s by \\S+:${env.signoff.pid}: 256 of 256 partitions in sync\n$`,
        ),
      )
      expect(stderr).to.contain('looking for what is in Redis in the journal: ')
      expect(keys).to.include.members([lost, UNKNOWN_DENIAL, ...OTHER_KEYS])
      expect(await lifetimeInJournal(LOST_SID)).to.be.within(3_600_000 - PATIENCE_MS, 3_600_000)
      await untilReady(env.signoff)
    })

    it('leaves Redis as it is when Postgres does not answer', async () => {
      const denied = await deniedKey()

      const { status, stderr } = await denylist('rebuild', { DATABASE_URL: NOWHERE.DATABASE_URL })

      expect(status).to.equal(1)
      expect(stderr).to.contain('ECONNREFUSED')
      expect(await env.redis.client.exists(denied, watermarkKey('00'))).to.equal(2)
    })

    it('says in its help what happens meanwhile', async () => {
      const { status, stdout } = await runSignoff(['denylist', 'rebuild', '--help'])

      expect(status).to.equal(0)
      expect(stdout).to.contain('it asks Postgres about every token')
    })
  })

  describe('once the service is gone', () => {
    beforeEach(async () => {
      env = await testEnvironment()
    })
    afterEach(async () => {
      await env.stop()
    })

    it('status exits 1 when nobody keeps Redis in line', async () => {
      env.signoff.kill('SIGKILL')
      await env.signoff.exited
      await deniedInJournal()
      await eventually(async () => (await env.redis.client.exists(watermarkKey('00'))) === 0, PATIENCE_MS)

      const { status, stdout, stderr } = await denylist('status')

      expect(status).to.equal(1)
      expect(stderr).to.equal('signoff: Redis is not known to agree with the journal\n')
      expect(stdout).to.match(/^in sync +0 of 256 partitions$/m)
      expect(stdout).to.match(/^lag +1 live denial journaled since the oldest watermark$/m)
      expect(stdout).to.match(/^leader +none$/m)
    })

    it('rebuild writes Redis anew by itself where no service runs, lifetimes included, and says what that means', async () => {
      const denied = await deniedKey()
      const ttlMs = await env.redis.client.pttl(denied)
      await env.signoff.stop()
      await env.redis.client.flushall()
      await env.redis.client.set(UNKNOWN_DENIAL, '1', 'PX', 3_600_000)

      const lease = { DENYLIST_LEASE: String(LEASE_SECONDS) }
      const rebuilt = await denylist('rebuild', lease, '--json')
      const synced = await env.redis.client.exists(...PARTITIONS.map(watermarkKey))
      const fallsInMs = await env.redis.client.pttl(watermarkKey('00'))
      const again = await denylist('rebuild', lease)

      expect(rebuilt.status, rebuilt.stderr).to.equal(0)
      const document = JSON.parse(rebuilt.stdout) as Record<string, unknown>
      expect(document).to.include({ journaled_again: 1, relayed_by: null, is_renewed: false })
      expect(synced).to.equal(256)
      expect(fallsInMs).to.be.within(1, LEASE_SECONDS * 1000)
      expect(await env.redis.client.pttl(denied)).to.be.closeTo(ttlMs, PATIENCE_MS)
      expect(await env.redis.client.exists(UNKNOWN_DENIAL)).to.equal(1)
      expect(await lifetimeInJournal(LOST_SID)).to.be.above(0)
      expect(again.stdout).to.contain(
        'No service relays: nobody renews the watermarks, which fall after 60 s.',
      )
      expect(await locksHeld()).to.equal(0)
    })

    it('rebuild gives up on a service that has the lock and writes nothing, and leaves no watermark behind', async () => {
      const denied = await deniedKey()
      await env.signoff.stop()
      await env.database.sql(
        `UPDATE locks SET holder = gen_random_uuid(), expires_at = now() + interval '1 hour' WHERE name = 'relay'`,
      )

      const { status, stderr } = await denylist('rebuild')

      expect(status).to.equal(1)
      expect(stderr).to.contain('has written nothing to Redis for 10 s')
      expect(await env.redis.client.exists(...PARTITIONS.map(watermarkKey))).to.equal(0)
      expect(await env.redis.client.exists(denied)).to.equal(1)
    })
  })

  function oneServiceForAll(): void {
    before(async () => {
      env = await testEnvironment()
    })
    after(async () => {
      await env.stop()
    })
  }

  async function denylist(action: string, settings: Record<string, string> = {}, ...options: string[]) {
    return await runSignoff(['denylist', action, ...options], {
      env: { DATABASE_URL: env.database.url, REDIS_URL: env.redis.url, ...settings },
    })
  }

  async function statusDocument(settings: Record<string, string> = {}): Promise<Record<string, unknown>> {
    const { stdout } = await denylist('status', settings, '--json')
    return JSON.parse(stdout) as Record<string, unknown>
  }

  /** The key in Redis of a session that was logged out; the journal's tail no longer shows it. */
  async function deniedKey(): Promise<string> {
    const { refresh } = await env.login()
    const { status } = await env.signoff.post('/auth/logout/', { refresh_token: refresh })
    expect(status).to.equal(200)
    await env.database.sql(`UPDATE revocations SET created_at = created_at - interval '1 hour'`)
    const sid = String(claimsOf(refresh)['sid'])
    return `denylist:{${sid.slice(-2)}}:${sid}`
  }

  async function deniedInJournal(): Promise<void> {
    await env.database.sql(
      `INSERT INTO revocations (denied_id, partition, reason, expires_at)
       SELECT id, right(id, 2), 'logout', now() + interval '1 hour' FROM (SELECT gen_random_uuid()::text AS id) AS new`,
    )
  }

  async function liveDenials(): Promise<number> {
    return (await env.database.sql('SELECT 1 FROM revocations WHERE expires_at > now()')).length
  }

  /** Milliseconds that the denial still has; 0 where there is none. */
  async function lifetimeInJournal(id: string): Promise<number> {
    const [row] = await env.database.sql<{ ms: number }>(
      `SELECT (extract(epoch FROM expires_at - now()) * 1000)::float8 AS ms FROM revocations WHERE denied_id = $1`,
      [id],
    )
    return row?.ms ?? 0
  }

  async function locksHeld(): Promise<number> {
    return (await env.database.sql('SELECT 1 FROM locks WHERE expires_at > now()')).length
  }
})

const KEYS = [
  'in_sync',
  'live_denials',
  'redis',
  'partitions',
  'watermark_age_ms',
  'lag_denials',
  'sweep',
  'has_other_deployment',
  'postgres_problem',
  'leader',
  'instances',
  'problems',
]
