// The stream of announcements on a real Redis: nobody who reads it misses one without knowing.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { announce, announcements, type Announcements } from '../../../../src/store/redis/announcements.ts'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { eventually } from '../../../support/environment.ts'
import { testRedis, type TestRedis } from '../../../support/redis.ts'
import { untilConnected } from '../../../support/told.ts'

const STREAM = 'denylist:{00}:announced'

describe('announcements', () => {
  let redis: TestRedis
  let writing: RedisConnection
  let connection: RedisConnection
  let reading: Announcements

  before(async () => {
    redis = await testRedis()
  })
  after(async () => {
    await redis.remove()
  })
  beforeEach(async () => {
    await redis.client.config('SET', 'maxmemory', '0')
    await redis.client.flushall()
    writing = await connectedRedis(redis.url)
    connection = await connectedRedis(redis.url)
    reading = announcements(connection)
  })
  afterEach(() => {
    writing.close()
    connection.close()
  })

  const announced = async (count = 1): Promise<string[]> => {
    const ids = Array.from({ length: count }, () => uuidv7())
    await announce(
      writing,
      ids.map((id) => ({ id, ttlMs: 60_000.5 })),
    )
    return ids
  }
  /** As the service does, where a busy machine takes too long for one. */
  const heard = async () => {
    for (let left = 5; ; left -= 1) {
      try {
        return await reading.next()
      } catch (error) {
        if (left === 0) throw error
      }
    }
  }
  const next = async () => (await heard()).map(({ id }) => id)

  it('hand out what was announced since they began, in its order, once', async () => {
    await announced()
    const before = await next()
    const ids = [...(await announced(2)), ...(await announced())]

    const first = await heard()
    const second = await next()

    expect(before).to.be.empty
    expect(first).to.deep.equal(ids.map((id) => ({ id, ttlMs: 60_001 })))
    expect(second).to.be.empty
  })

  it('hand out many that were announced together', async () => {
    await next()
    const ids = await announced(2500)

    expect(await next()).to.deep.equal(ids)
  })

  it('wait for one that comes soon, and not for long', async () => {
    await next()
    const startedAt = performance.now()
    const waiting = next()
    const ids = await announced()

    expect(await waiting).to.deep.equal(ids)
    expect(await next()).to.be.empty
    expect(performance.now() - startedAt).to.be.below(1000)
  })

  it('say since when none was missed, and up to when they are handed out', async () => {
    const before = reading.unbroken
    const beganAt = performance.now()
    await next()
    const { since } = reading.unbroken ?? { since: NaN }
    const askedAt = performance.now()
    await announced()
    await next()

    expect(before).to.equal(null)
    expect(since).to.be.within(beganAt, askedAt)
    expect(reading.upTo).to.be.within(askedAt, performance.now())
    expect(reading.unbroken?.since).to.equal(since)
  })

  it('begin anew when the connection was lost', async () => {
    await next()
    const lostAt = performance.now()
    connection.client.disconnect(true)
    await eventually(async () => await Promise.resolve(!connection.isReady))
    const meanwhile = reading.unbroken
    await untilConnected(connection)
    await next()

    expect(meanwhile).to.equal(null)
    expect(reading.unbroken?.since).to.be.above(lostAt)
  })

  it('begin anew when something was lost while they were being read', async () => {
    let lose = (): void => undefined
    reading = announcements({ ...connection, onLoss: (listener) => (lose = listener) })
    await next()
    const pending = next()
    lose()
    await pending
    const meanwhile = reading.unbroken

    await next()

    expect(meanwhile).to.equal(null)
    expect(reading.unbroken).not.to.equal(null)
  })

  it('notice that Redis was emptied, though others announce again and the connection stands', async () => {
    await next()
    const mark = reading.unbroken?.mark
    await announced()
    await redis.client.flushall()
    const ids = await announced()

    const told = await next()
    const meanwhile = reading.unbroken
    await next()

    expect(told).to.deep.equal(ids)
    expect(meanwhile).to.equal(null)
    expect(reading.unbroken?.mark).not.to.equal(mark)
  })

  it('keep what is younger than a minute, and about a hundred of the rest', async () => {
    const old = Date.now() - 61_000
    for (let i = 0; i < 500; i += 1) await redis.client.xadd(STREAM, `${old}-${i}`, uuidv7(), '1000')
    const [id] = await announced()

    const length = await redis.client.xlen(STREAM)
    const [last] = await redis.client.xrevrange(STREAM, '+', '-', 'COUNT', 1)

    expect(length).to.be.below(201)
    expect(last?.[1]).to.deep.equal([id, '60001'])
  })

  it('are not confirmed by a Redis that takes no writes', async () => {
    await redis.client.config('SET', 'maxmemory', '1')

    const outcome = await announced().catch(String)

    expect(outcome).to.match(/OOM/)
  })
})
