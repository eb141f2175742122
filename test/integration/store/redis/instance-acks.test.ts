// What instances say of themselves in Redis: up to when all that they acknowledged is in there.
import { expect } from 'chai'
import { instanceAcks } from '../../../../src/store/redis/instance-acks.ts'
import { testRedis, type TestRedis } from '../../../support/redis.ts'

describe('instanceAcks', () => {
  let redis: TestRedis

  before(async () => {
    redis = await testRedis()
  })
  after(async () => {
    await redis.remove()
  })
  beforeEach(async () => {
    await redis.client.flushall()
  })

  const instance = (id: string) => instanceAcks(redis, id)

  it('tells the time of Redis', async () => {
    expect(await instance('a').clock()).to.be.closeTo(Date.now(), 1000)
  })

  it('tells how old the oldest word of those asked for is, by the clock of Redis', async () => {
    const [a, b, c] = [instance('a'), instance('b'), instance('c')]
    const nowMs = await a.clock()
    await Promise.all([a.say(nowMs), b.say(nowMs - 3000), c.say(nowMs - 30_000)])

    expect(await a.oldestAgeMs(['a', 'b'])).to.be.within(3000, 3500)
    expect(await a.oldestAgeMs(['a'])).to.be.within(0, 500)
  })

  it('goes by the last word of each', async () => {
    const a = instance('a')
    const nowMs = await a.clock()
    await a.say(nowMs - 3000)

    await a.say(nowMs - 1000)

    expect(await a.oldestAgeMs(['a'])).to.be.within(1000, 1500)
  })

  it('tells nothing when one of them never said it, or nobody is asked for', async () => {
    const a = instance('a')
    await a.say(await a.clock())

    expect(await a.oldestAgeMs(['a', 'b'])).to.equal(null)
    expect(await a.oldestAgeMs([])).to.equal(null)
  })

  it('tells nothing when a word is from a time that Redis has not reached', async () => {
    const a = instance('a')
    await a.say((await a.clock()) + 10_000)

    expect(await a.oldestAgeMs(['a'])).to.equal(null)
  })

  it('keeps a word for a minute', async () => {
    const a = instance('a')

    await a.say(await a.clock())

    expect(await redis.client.pttl('denylist:instance:a')).to.be.within(59_000, 60_000)
  })
})
