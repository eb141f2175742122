// The guard of Redis: fit is what was looked at and found fit, and nothing else.
import { expect } from 'chai'
import { connectedRedis } from '../../../../src/store/redis/connection/connected-redis.ts'
import { connectRedis } from '../../../../src/store/redis/connection/connect-redis.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { redisUnfitness, watchRedis, type RedisWatch } from '../../../../src/store/redis/redis-watch.ts'
import { eventually } from '../../../support/service/environment.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'
import { testRedis, type TestRedis } from '../../../support/servers/redis.ts'

const MAY_NOT_LOOK =
  /^the Redis user may not run INFO, so nobody can see whether Redis evicts denials: grant it \+info/
const EVICTS = /^Redis may evict denials/

describe('watchRedis', () => {
  let server: TestRedis
  let connection: RedisConnection
  let log: RecordingLog
  let watch: RedisWatch

  beforeEach(async () => {
    server = await testRedis()
    log = recordingLog()
  })
  afterEach(async () => {
    watch.stop()
    connection.close()
    await server.remove()
  })

  const start = async () => {
    connection = await connectedRedis(server.url)
    watch = watchRedis({ connection, log })
  }
  const untilFit = async () => {
    await eventually(async () => await Promise.resolve(watch.unfit() === null), 60_000)
  }
  const untilUnfit = async (reason: RegExp) => {
    await eventually(async () => await Promise.resolve(reason.test(watch.unfit() ?? '')), 60_000)
  }

  it('calls nothing fit before it has looked', async () => {
    await start()
    const before = watch.unfit()
    await untilFit()

    expect(before).to.match(/^nobody has seen yet whether Redis evicts denials/)
  })

  it('calls nothing fit that was never there, or has given no answer yet', async () => {
    connection = connectRedis('redis://127.0.0.1:9', () => undefined)
    watch = watchRedis({ connection, log })
    const absent = watch.unfit()
    watch.stop()
    connection.close()

    connection = await connectedRedis(server.url)
    await server.signal('SIGSTOP')
    watch = watchRedis({ connection, log })
    await untilUnfit(/no answer/)
    await server.signal('SIGCONT')
    await untilFit()

    expect(absent).to.match(/^nobody has seen yet whether Redis evicts denials/)
    expect(log.lines).to.deep.equal([])
  })

  it('calls it unfit where it refuses to be looked at, says so once, and sees when it is granted', async () => {
    await server.client.acl('SETUSER', 'default', '-info')
    await start()

    await untilUnfit(MAY_NOT_LOOK)
    await server.client.acl('SETUSER', 'default', '+info')
    await untilFit()

    expect(log.lines.map(({ level }) => level)).to.deep.equal(['error', 'info'])
    expect(log.lines[0]?.message).to.match(MAY_NOT_LOOK)
  })

  it('keeps the verdict of a Redis that was fit and hangs or goes away, and looks again when it is back', async () => {
    await start()
    await untilFit()

    await server.signal('SIGKILL')
    await eventually(async () => await Promise.resolve(!connection.isReady), 60_000)
    const meanwhile = watch.unfit()
    await server.start()
    await server.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await untilUnfit(EVICTS)

    expect(meanwhile).to.equal(null)
  })

  it('notices a policy that is set later, though the connection stands', async () => {
    await start()
    await untilFit()

    await server.client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await untilUnfit(EVICTS)
    await server.client.config('SET', 'maxmemory-policy', 'noeviction')
    await untilFit()

    expect(log.lines.map(({ level }) => level)).to.deep.equal(['error', 'info'])
  })
})

describe('redisUnfitness', () => {
  let server: TestRedis

  before(async () => {
    server = await testRedis()
  })
  after(async () => {
    await server.remove()
  })

  it('takes a refusal to be looked at for a reason, and silence for none', async () => {
    const fit = await redisUnfitness(server.url)
    await server.client.acl('SETUSER', 'default', '-info')
    const refused = await redisUnfitness(server.url)
    const silent = await redisUnfitness('redis://127.0.0.1:9').catch(() => 'rejected')

    expect(fit).to.equal(null)
    expect(refused).to.match(MAY_NOT_LOOK)
    expect(silent).to.equal('rejected')
  })
})
