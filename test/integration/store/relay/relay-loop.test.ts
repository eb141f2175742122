// When the relay ticks: once a second, sooner in a hurry, at once when Redis is back, and never two at a time.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { startRelay, type Relay } from '../../../../src/store/relay/relay.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import { untilConnected } from '../../../support/told.ts'
import { testRedis, type TestRedis } from '../../../support/redis.ts'

describe('startRelay', () => {
  let redis: TestRedis
  let connection: RedisConnection
  let relay: Relay | undefined
  /** When ticks began, and the most of them at once. */
  let begun: number[]
  let underway: number
  let mostUnderway: number
  let left: number
  let failures: unknown[]
  /** What a tick does, and whether it is followed by one soon. */
  let work: () => Promise<boolean>

  before(async () => {
    redis = await testRedis()
  })
  after(async () => {
    await redis.remove()
  })
  beforeEach(async () => {
    connection = await connectedRedis(redis.url)
    ;[begun, underway, mostUnderway, left, failures] = [[], 0, 0, 0, []]
    work = async () => await Promise.resolve(false)
  })
  afterEach(async () => {
    await relay?.stop()
    connection.close()
  })

  const start = () => {
    relay = startRelay({
      connection,
      relayTick: {
        tick: async () => {
          begun.push(performance.now())
          underway += 1
          mostUnderway = Math.max(mostUnderway, underway)
          try {
            return await work()
          } finally {
            underway -= 1
          }
        },
        leave: async () => {
          left += 1
          await Promise.resolve()
        },
      },
      onFailure: (error) => failures.push(error),
    })
    return relay
  }
  const reconnect = async () => {
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await sleep(20)
    await untilConnected(connection)
  }

  it('ticks at once, and then once a second', async () => {
    start()
    await sleep(2300)

    const [first = 0, ...later] = begun
    expect(later.map((at) => Math.round((at - first) / 1000))).to.deep.equal([1, 2])
  })

  it('ticks every fifth of a second while in a hurry', async () => {
    work = async () => await Promise.resolve(true)
    start()

    await sleep(1100)

    expect(begun.length).to.be.within(4, 6)
  })

  it('goes on after a tick that failed', async () => {
    work = async () => await Promise.reject(new Error('no'))
    start()

    await sleep(1200)

    expect(failures).to.have.length(2)
  })

  it('ticks as soon as Redis is back, after the tick that is under way', async () => {
    work = async () => await sleep(300, false)
    start()
    await sleep(50)

    await reconnect()
    await sleep(450)

    expect(begun).to.have.length(2)
    expect(mostUnderway).to.equal(1)
  })

  it('keeps to one tick a second after it was woken many times', async () => {
    start()
    for (let i = 0; i < 3; i += 1) await reconnect()
    const before = begun.length
    await sleep(1100)

    expect(begun.length - before).to.be.within(1, 2)
  })

  it('stops when the tick that is under way is over, leaves once, and never ticks again', async () => {
    work = async () => await sleep(300, true)
    const started = start()
    await sleep(50)

    await started.stop()
    const atStop = { underway, left }
    await reconnect()
    await sleep(500)

    expect(atStop).to.deep.equal({ underway: 0, left: 1 })
    expect(begun).to.have.length(1)
    relay = undefined
  })
})
