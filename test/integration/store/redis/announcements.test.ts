// The stream of announcements on a real Redis: nobody who reads it misses one without knowing.
import { expect } from 'chai'
import { v7 as uuidv7 } from 'uuid'
import { announce, announcements, type Announcements } from '../../../../src/store/redis/announcements.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import type { ScriptCall } from '../../../../src/store/redis/redis-commands.ts'
import { eventually } from '../../../support/service/environment.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'
import { patientRedis } from '../../../support/stores/patient-redis.ts'
import { testRedis, type TestRedis } from '../../../support/servers/redis.ts'

const STREAM = 'denylist:{00}:announced'
const MARK = 'denylist:{00}:announced:mark'
const JOURNAL = '0123456789abcdef'
const MINUTE_MS = 60_000
const TTL_MS = 3_600_000

describe('announcements', () => {
  let redis: TestRedis
  let writing: RedisConnection
  let connection: RedisConnection
  let clock: FakeClock
  let marks: number
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
    writing = await patientRedis(redis.url)
    connection = await patientRedis(redis.url)
    clock = fakeClock()
    marks = 0
    reading = reader()
  })
  afterEach(() => {
    writing.close()
    connection.close()
  })

  const reader = (over: Partial<Pick<RedisConnection, 'commands' | 'onLoss'>> = {}) =>
    announcements({
      connection: { ...connection, ...over },
      clock,
      randomId: () => `mark-${(marks += 1)}`,
    })
  const announced = async (count = 1): Promise<string[]> => {
    const ids = Array.from({ length: count }, () => uuidv7())
    await announce(
      writing.commands,
      JOURNAL,
      ids.map((id) => ({ id, ttlMs: TTL_MS - 0.5 })),
    )
    return ids
  }
  /** As if it had been announced so long ago. */
  const announcedAgo = async (agoMs: number, fields: string[]): Promise<void> => {
    const [seconds = 0] = await redis.client.time()
    await redis.client.xadd(STREAM, `${seconds * 1000 - agoMs}-*`, ...fields)
  }
  const next = async () => (await reading.next()).map(({ id }) => id)

  it('hand out all that is kept first, then what was announced since, in its order, once', async () => {
    const early = await announced(2)
    const first = await next()
    const ids = [...(await announced(2)), ...(await announced())]

    const second = await next()
    const third = await next()

    expect(first).to.deep.equal(early)
    expect(second).to.deep.equal(ids)
    expect(third).to.be.empty
  })

  it('say of which journal each is, and how long it lasts still', async () => {
    const [id = ''] = await announced()
    await redis.client.del(STREAM)
    await announcedAgo(300_000, ['journal', 'another', id, String(TTL_MS)])

    const [old] = await reading.next()
    const [fresh] = await announced()
    const [told] = await reading.next()

    expect(old).to.include({ id, journalName: 'another' })
    // The time that the test took has gone by as well.
    expect(old?.ttlMs).to.be.within(TTL_MS - 300_000 - 2 * MINUTE_MS, TTL_MS - 300_000)
    expect(told).to.include({ id: fresh, journalName: JOURNAL })
    expect(told?.ttlMs).to.be.within(TTL_MS - MINUTE_MS, TTL_MS)
  })

  it('leave aside what is announced in another form', async () => {
    await announcedAgo(1000, [uuidv7(), '60000'])
    const ids = await announced()

    expect(await next()).to.deep.equal(ids)
  })

  it('hand out many that were announced together', async () => {
    await next()
    const ids = await announced(2500)

    expect(await next()).to.deep.equal(ids)
    expect(await redis.client.xlen(STREAM)).to.equal(3)
  })

  it('are read on where more is kept than one reading takes, and not up to now before that', async () => {
    const ids: string[] = []
    for (let i = 0; i < 501; i += 1) ids.push(...(await announced()))
    await reading.next()
    const begun = reading.upTo
    await clock.advance(1000)
    reading = reader()

    const first = await next()
    const afterOne = reading.upTo
    await clock.advance(1000)
    const second = await next()

    expect([...first, ...second]).to.deep.equal(ids)
    expect([begun, afterOne, reading.upTo]).to.deep.equal([0, 1000, 2000])
  })

  it('wait for one that comes soon, and not for long', async () => {
    await next()
    const waiting = next()
    const ids = await announced()
    const heard = [...(await waiting), ...(await next())]

    expect(heard).to.deep.equal(ids)
    expect(await next()).to.be.empty
  })

  it('say since when none was missed, and up to when they are handed out', async () => {
    const before = reading.unbroken
    await clock.advance(1000)
    await next()
    const { since } = reading.unbroken ?? { since: NaN }
    await clock.advance(1000)
    await announced()
    await next()

    expect(before).to.equal(null)
    expect([since, reading.unbroken?.since, reading.upTo]).to.deep.equal([1000, 1000, 2000])
  })

  it('begin anew when the connection was lost', async () => {
    const ids = await announced()
    await next()
    await clock.advance(1000)
    connection.client.disconnect(true)
    await eventually(async () => await Promise.resolve(!connection.isReady), MINUTE_MS)
    const meanwhile = reading.unbroken
    await eventually(async () => await Promise.resolve(connection.isReady), MINUTE_MS)

    const told = await next()

    expect(meanwhile).to.equal(null)
    expect(reading.unbroken?.since).to.equal(1000)
    expect(told).to.deep.equal(ids)
  })

  it('are all handed out once more where that is asked for', async () => {
    const ids = await announced(2)
    await next()

    reading.beginAnew()

    expect([await next(), await next()]).to.deep.equal([ids, []])
  })

  it('begin anew when something was lost while they were being read', async () => {
    let lose = (): void => undefined
    reading = reader({ onLoss: (listener) => (lose = listener) })
    await next()
    const pending = next()
    lose()
    await pending
    const meanwhile = reading.unbroken

    await next()

    expect(meanwhile).to.equal(null)
    expect(reading.unbroken).not.to.equal(null)
  })

  it('begin anew when nobody has read them for half a minute', async () => {
    await next()
    await clock.advance(30_000)
    await next()
    const since = reading.unbroken?.since
    await clock.advance(30_001)

    await next()

    expect([since, reading.unbroken?.since]).to.deep.equal([0, 60_001])
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

  it('have one mark, whoever begins first', async () => {
    await reading.next()
    const other = reader()
    await other.next()

    expect(other.unbroken?.mark).to.equal('mark-1')
    expect(await redis.client.get(MARK)).to.equal('mark-1')
  })

  it('are not begun as long as Redis does not answer', async () => {
    const run = async (call: ScriptCall) => await Promise.reject(new Error(call.script.name))
    reading = reader({ commands: { ...connection.commands, run } })

    const outcome = await next().catch(String)

    expect(outcome).to.equal('Error: read-mark')
    expect(reading.unbroken).to.equal(null)
  })

  it('keep what is younger than ten minutes, and about a hundred of the rest', async () => {
    const [seconds = 0] = await redis.client.time()
    const old = seconds * 1000 - 11 * MINUTE_MS
    for (let i = 0; i < 500; i += 1)
      await redis.client.xadd(STREAM, `${old}-${i}`, 'journal', JOURNAL, uuidv7(), '1000')
    await announcedAgo(8 * MINUTE_MS, ['journal', JOURNAL, 'young', '1000'])
    const [id] = await announced()

    const entries = await redis.client.xrange(STREAM, '-', '+')

    expect(entries.length).to.be.below(202)
    expect(entries.slice(-2).map(([, fields]) => fields)).to.deep.equal([
      ['journal', JOURNAL, 'young', '1000'],
      ['journal', JOURNAL, id, String(TTL_MS)],
    ])
  })

  it('are not confirmed by a Redis that takes no writes', async () => {
    await redis.client.config('SET', 'maxmemory', '1')

    const outcome = await announced().catch(String)

    expect(outcome).to.match(/OOM/)
  })
})
