// Two deployments on one Redis, each with its own REDIS_PREFIX: neither sees or believes what is the other's.
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { denialKey, PARTITIONS, watermarkKey } from '../../../../src/contract/denylist-keys.ts'
import { createMetrics } from '../../../../src/ops/metrics.ts'
import { instances } from '../../../../src/store/postgres/instances.ts'
import { locks } from '../../../../src/store/postgres/locks.ts'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import { redisWatermarks } from '../../../../src/store/redis/watermarks.ts'
import { leaderLock } from '../../../../src/store/relay/leader-lock.ts'
import { openDenials, type Denials } from '../../../../src/store/open-denials.ts'
import { journalMender } from '../../../../src/store/postgres/journal-mender.ts'
import { connectRedis } from '../../../../src/store/redis/connection/connect-redis.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { failureLog } from '../../../../src/store/relay/failure-log.ts'
import { systemClock } from '../../../../src/clock.ts'
import { rebuildDenylist } from '../../../../src/store/relay/rebuild-denylist.ts'
import { eventually } from '../../../support/service/environment.ts'
import { recordingLog } from '../../../support/fakes/recording-log.ts'
import {
  postgresStoreSubject,
  type PostgresStoreSubject,
} from '../../../support/stores/postgres-store-subject.ts'
import { testRedis, type TestRedis } from '../../../support/servers/redis.ts'

const ISSUER = 'https://auth.example.com'

interface Deployment {
  prefix: string
  store: PostgresStoreSubject
  opened: Denials
  connections: RedisConnection[]
}

describe('two deployments on one Redis, under different prefixes', () => {
  let redis: TestRedis
  let shop: Deployment
  let bank: Deployment

  beforeEach(async () => {
    redis = await testRedis()
    ;[shop, bank] = await Promise.all([deployment('shop:'), deployment('bank:')])
    for (const { opened } of [shop, bank]) {
      await eventually(
        async () =>
          await Promise.resolve(
            opened.readiness()['denylist'] === 'ok' && opened.readiness()['redis'] === 'ok',
          ),
        60_000,
      )
    }
  })
  afterEach(async () => {
    await Promise.all(
      [shop, bank].map(async ({ opened, store, connections }) => {
        await opened.close()
        for (const connection of connections) connection.close()
        await store.close()
      }),
    )
    await redis.remove()
  })

  async function deployment(prefix: string): Promise<Deployment> {
    const store = await postgresStoreSubject()
    const instanceId = randomUUID()
    const log = recordingLog()
    const failures = failureLog(log)
    const checks = connectRedis(redis.url, failures.note, { prefix })
    const announcements = connectRedis(redis.url, failures.note, { prefix })
    const opened = openDenials({
      clock: systemClock,
      randomId: randomUUID,
      issuer: ISSUER,
      partitions: PARTITIONS,
      redis: { checks, announcements, guard: { unfit: () => null }, failures },
      leaseSeconds: 60,
      leewaySeconds: 5,
      accessAgeSeconds: 300,
      isProduction: true,
      instanceId,
      journal: store.journal,
      mender: journalMender(store.postgres),
      locks: locks(store.postgres, instanceId),
      instances: instances(store.postgres, { id: instanceId, name: 'test' }),
      log,
      metrics: createMetrics(),
    })
    return { prefix, store, opened, connections: [checks, announcements] }
  }
  const logout = async ({ store, opened }: Deployment) => {
    const sid = uuidv7()
    await store.deny(sid, 3_600_000)
    await opened.denylist.deny([{ id: sid, ttlMs: 3_600_000 }])
    return sid
  }
  const check = async ({ opened }: Deployment, sid: string) =>
    await opened.denylist.check({ sid, jti: uuidv4() })

  it('see nothing of each other', async () => {
    const sid = await logout(shop)
    const answers = [await check(shop, sid), await check(bank, sid)]
    const keys = await redis.client.keys('*')

    expect(answers).to.deep.equal(['denied', 'live'])
    expect(keys.filter((key) => !/^(shop|bank):denylist:/.test(key))).to.deep.equal([])
    expect(await redis.client.exists(PARTITIONS.map((hh) => `shop:${watermarkKey(hh)}`))).to.equal(256)
  })

  it('are written anew one by one', async () => {
    const kept = await logout(bank)
    const rewritten = await logout(shop)
    await redis.client.del(`shop:${denialKey(rewritten)}`)
    // Of one of them, Redis knows more than the journal.
    const unknown = uuidv7()
    await redis.client.set(`shop:${denialKey(unknown)}`, '1', 'PX', 3_600_000)
    await shop.opened.close()

    const connection = await connectedRedis(redis.url, { prefix: 'shop:' })
    const instanceId = randomUUID()
    const { mended } = await rebuildDenylist({
      clock: systemClock,
      connection,
      watermarks: redisWatermarks({ connection, partitions: PARTITIONS, nonce: randomUUID() }),
      journal: shop.store.journal,
      mender: journalMender(shop.store.postgres),
      instances: instances(shop.store.postgres, { id: instanceId, name: 'test' }),
      instanceId,
      issuer: ISSUER,
      lock: leaderLock(locks(shop.store.postgres, instanceId), systemClock),
      leaseMs: 60_000,
      leewaySeconds: 5,
      onProgress: () => undefined,
    })
    connection.close()

    const left = await redis.client.mget(`shop:${denialKey(rewritten)}`, `bank:${denialKey(kept)}`)
    expect(left).to.deep.equal(['1', '1'])
    expect(mended).to.equal(1)
    expect(await shop.store.journal.readBatch(null, 10))
      .to.have.property('rows')
      .with.length(2)
    expect(await check(bank, kept)).to.equal('denied')
  })
})
