// What instances say of themselves in Redis: up to when all that they acknowledged is in there.
import { expect } from 'chai'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { ackKey, instanceAcks } from '../../../../src/store/redis/instance-acks.ts'
import { patientRedis } from '../../../support/stores/patient-redis.ts'
import { testRedis, type TestRedis } from '../../../support/servers/redis.ts'

const MINUTE_MS = 60_000

describe('instanceAcks', () => {
  let redis: TestRedis
  let connection: RedisConnection

  before(async () => {
    redis = await testRedis()
    connection = await patientRedis(redis.url)
  })
  after(async () => {
    connection.close()
    await redis.remove()
  })
  beforeEach(async () => {
    await redis.client.flushall()
  })

  const instance = (id: string) => instanceAcks(connection, id)
  /** By the clock of Redis. */
  const redisMs = async () => {
    const [seconds = 0, micros = 0] = await redis.client.time()
    return seconds * 1000 + Math.floor(micros / 1000)
  }
  /** The age of that time when Redis is asked between the two, bounds included. */
  const ages = async <T>(saidMs: number, ask: () => Promise<T>) => {
    const before = (await redisMs()) - saidMs
    const age = await ask()
    return { age, before, after: (await redisMs()) - saidMs }
  }

  it('tells how old the oldest word of those asked for is, by the clock of Redis', async () => {
    const [a, b, c] = [instance('a'), instance('b'), instance('c')]
    const nowMs = await redisMs()
    await Promise.all([a.say(nowMs), b.say(nowMs - 3000), c.say(nowMs - 30_000)])

    const both = await ages(nowMs - 3000, async () => await a.oldestAgeMs(['a', 'b']))
    const one = await ages(nowMs, async () => await a.oldestAgeMs(['a']))

    expect(both.age).to.be.within(both.before, both.after)
    expect(one.age).to.be.within(one.before, one.after)
  })

  it('goes by the last word of each', async () => {
    const a = instance('a')
    const nowMs = await redisMs()
    await a.say(nowMs - 3000)
    await a.say(nowMs - 1000)

    const { age, before, after } = await ages(nowMs - 1000, async () => await a.oldestAgeMs(['a']))

    expect(age).to.be.within(before, after)
  })

  it('tells nothing when one of them never said it, or nobody is asked for', async () => {
    const a = instance('a')
    await a.say(await redisMs())

    expect(await a.oldestAgeMs(['a', 'b'])).to.equal(null)
    expect(await a.oldestAgeMs([])).to.equal(null)
  })

  it('tells nothing when a word is from a time that Redis has not reached', async () => {
    const a = instance('a')
    await a.say((await redisMs()) + 2 * MINUTE_MS)

    expect(await a.oldestAgeMs(['a'])).to.equal(null)
  })

  it('keeps a word for a minute, in the partition where one call finds all of them', async () => {
    const before = await redisMs()

    await instance('a').say(before)

    expect(ackKey('a')).to.equal('denylist:{00}:instance:a')
    const endsAtMs = await redis.client.pexpiretime(ackKey('a'))
    expect(endsAtMs).to.be.within(before + MINUTE_MS, (await redisMs()) + MINUTE_MS)
  })
})
