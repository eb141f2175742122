// Counting attempts over a real Redis, and without it when it is killed, hung, or was never there.
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'chai'
import type { AttemptCounters, AttemptWindow } from '../../../../src/auth/ports/attempts.ts'
import { attemptCounters } from '../../../../src/store/redis/attempt-counters.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { attemptCountersConformance } from '../../../conformance/attempt-counters.ts'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import { untilConnected } from '../../../support/stores/told.ts'
import { recordingLog } from '../../../support/fakes/recording-log.ts'
import { testRedis, type TestRedis } from '../../../support/servers/redis.ts'

const WINDOW: AttemptWindow = { name: 'pair', seconds: 60 }
const MIB = 1024 * 1024

async function countOf(attempts: AttemptCounters, key: string): Promise<number> {
  return (await attempts.count(WINDOW, key)).count
}

async function elapse(seconds: number): Promise<void> {
  await sleep(seconds * 1000)
}

describe('attemptCounters on Redis', () => {
  let server: TestRedis
  let connection: RedisConnection
  let attempts: AttemptCounters

  before(async () => {
    server = await testRedis()
  })
  beforeEach(async () => {
    await server.client.flushall()
    connection = await connectedRedis(server.url)
    attempts = attemptCounters(connection.client, recordingLog())
  })
  afterEach(() => {
    connection.close()
  })
  after(async () => {
    await server.remove()
  })

  attemptCountersConformance('attemptCounters', async () => {
    await server.client.flushall()
    return {
      attempts: attemptCounters(connection.client, recordingLog()),
      elapse,
      close: async () => {
        await Promise.resolve()
      },
    }
  })

  it('is one count for all instances', async () => {
    const other = await connectedRedis(server.url)

    await attempts.count(WINDOW, 'a')
    const elsewhere = await countOf(attemptCounters(other.client, recordingLog()), 'a')
    other.close()

    expect(elsewhere).to.equal(2)
  })

  it('keeps no key for ever, and none that tells what was typed', async () => {
    await attempts.count(WINDOW, 'correct horse battery staple')

    const keys = await server.client.keys('*')
    expect(keys).to.have.length(1)
    expect(keys[0]).to.match(/^attempts:pair:[\w-]{43}$/)
    expect(await server.client.ttl(keys[0] ?? '')).to.be.within(58, 60)
  })

  it('leaves nothing behind of what is cleared or only asked for', async () => {
    await attempts.count(WINDOW, 'a')

    await attempts.clear(WINDOW, 'a')
    await attempts.peek(WINDOW, 'b')

    expect(await server.client.dbsize()).to.equal(0)
  })
})

describe('attemptCounters without its Redis', () => {
  let server: TestRedis
  let connection: RedisConnection
  let attempts: AttemptCounters

  beforeEach(async () => {
    server = await testRedis()
    connection = await connectedRedis(server.url)
    attempts = attemptCounters(connection.client, recordingLog())
    await attempts.count(WINDOW, 'a')
  })
  afterEach(async () => {
    connection.close()
    await server.remove()
  })

  it('goes on in memory at once when Redis is killed', async () => {
    await server.signal('SIGKILL')

    const counts = [await countOf(attempts, 'a'), await countOf(attempts, 'a'), await countOf(attempts, 'a')]
    const peeked = await attempts.peek(WINDOW, 'a')
    await attempts.clear(WINDOW, 'a')
    const afterClear = await countOf(attempts, 'a')

    expect(counts).to.deep.equal([1, 2, 3])
    expect(peeked.count).to.equal(3)
    expect(afterClear).to.equal(1)
  })

  it('counts in Redis again when it is back, and forgets the outage with a success', async () => {
    await server.signal('SIGKILL')
    expect(await countOf(attempts, 'a')).to.equal(1)
    await server.start()
    await untilConnected(connection)
    await sleep(1200)
    await server.client.flushall()

    await attempts.count(WINDOW, 'a')
    expect(await server.client.dbsize()).to.equal(1)
    await attempts.clear(WINDOW, 'a')
    await server.signal('SIGKILL')

    expect(await countOf(attempts, 'a')).to.equal(1)
  })

  it('waits once when Redis hangs, and goes on in memory', async () => {
    const timed = async (work: () => Promise<unknown>): Promise<number> => {
      const startedAt = performance.now()
      await work()
      return performance.now() - startedAt
    }
    await server.signal('SIGSTOP')

    const tookMs = [
      await timed(async () => await Promise.all([attempts.count(WINDOW, 'a'), attempts.count(WINDOW, 'b')])),
      await timed(async () => await attempts.peek(WINDOW, 'a')),
      await timed(async () => await attempts.peek(WINDOW, 'b')),
      await timed(async () => {
        await attempts.clear(WINDOW, 'b')
      }),
    ]
    const count = await countOf(attempts, 'a')
    await server.signal('SIGCONT')

    const [first = 0, ...later] = tookMs
    expect(first).to.be.above(200)
    // A busy machine may stop any of them: what all but one waited for is a wait.
    expect(Math.min(...later)).to.be.below(150)
    expect(count).to.equal(2)
  })

  it('counts in memory what Redis refuses to write', async () => {
    await server.client.config('SET', 'maxmemory', '1')

    const counts = [await countOf(attempts, 'a'), await countOf(attempts, 'a')]

    expect(counts).to.deep.equal([1, 2])
  })
})

attemptCountersConformance(
  'attemptCounters without any Redis',
  async () =>
    await Promise.resolve({
      attempts: attemptCounters(null, recordingLog()),
      elapse,
      close: async () => {
        await Promise.resolve()
      },
    }),
)

describe('attemptCounters in memory', () => {
  it('stays bounded under a million usernames and addresses', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const attempts = attemptCounters(null, recordingLog())
    collect()
    const heapBefore = process.memoryUsage().heapUsed

    for (let guess = 0; guess < 1_000_000; guess += 1) await attempts.count(WINDOW, `name-${guess}`)

    collect()
    const grownBy = process.memoryUsage().heapUsed - heapBefore
    expect(grownBy).to.be.below(20 * MIB)
    expect(await countOf(attempts, 'name-999999')).to.equal(2)
    expect(await countOf(attempts, 'name-0')).to.equal(1)
  })

  it('keeps a count that goes on through a flood of others', async () => {
    const attempts = attemptCounters(null, recordingLog())

    for (let guess = 1; guess <= 10; guess += 1) {
      expect(await countOf(attempts, 'victim')).to.equal(guess)
      for (let other = 0; other < 20_000; other += 1) await attempts.count(WINDOW, `${guess}-${other}`)
    }
  })
})
