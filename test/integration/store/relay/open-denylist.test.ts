// The denylist as the service opens it: in line, it says so; whatever is wrong is told once, and counted.
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { systemClock } from '../../../../src/clock.ts'
import { denialKey, PARTITIONS } from '../../../../src/contract/denylist-keys.ts'
import { createMetrics, type Metrics } from '../../../../src/ops/metrics.ts'
import { instances } from '../../../../src/store/postgres/instances.ts'
import { locks } from '../../../../src/store/postgres/locks.ts'
import { connectRedis } from '../../../../src/store/redis/connection/connect-redis.ts'
import type { RedisConnection } from '../../../../src/store/redis/connection/redis-connection.ts'
import { failureLog } from '../../../../src/store/relay/failure-log.ts'
import { journalView } from '../../../../src/store/relay/journal-view.ts'
import {
  openDenylist,
  type DenylistOptions,
  type OpenDenylist,
} from '../../../../src/store/relay/open-denylist.ts'
import { OTHER_DEPLOYMENT, OTHER_DEPLOYMENT_KEY } from '../../../../src/store/relay/other-deployment.ts'
import { eventually } from '../../../support/service/environment.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'
import { relayRig, type RelayRig } from '../../../support/stores/relay-rig.ts'

const PATIENCE_MS = 60_000
const LEEWAY_SECONDS = 5
const IN_LINE = { redis: 'ok', denylist: 'ok', clock: 'ok' }
const FULL = 'out of memory: logouts are kept by Postgres alone until it has room (raise maxmemory)'
const OUT_OF_LINE = 'not in sync with the journal, which is asked instead'
const AGREES = 'Redis agrees with the journal: checks ask Redis'
const DISAGREES = 'Redis is not known to agree with the journal: checks ask Postgres'
const MISSING = /^denials were missing in Redis under a watermark/
const UNUSABLE = /^Redis fails: /

describe('openDenylist', () => {
  let rig: RelayRig
  let log: RecordingLog
  let metrics: Metrics
  let opened: OpenDenylist
  let connections: RedisConnection[]
  /** What the denylist is told of Redis, and what this instance knows itself. */
  let unfit: string | null
  let held: Set<string>

  beforeEach(async () => {
    rig = await relayRig()
    log = recordingLog()
    metrics = createMetrics()
    ;[connections, unfit, held] = [[], null, new Set()]
  })
  afterEach(async () => {
    await opened.close()
    for (const connection of connections) connection.close()
    await rig.close()
  })

  const open = (redisUrl = rig.redis.url, over: Partial<DenylistOptions> = {}) => {
    const clock = over.clock ?? systemClock
    const instanceId = randomUUID()
    const failures = failureLog(log)
    const [checks, announcements] = [
      connectRedis(redisUrl, failures.note),
      connectRedis(redisUrl, () => undefined),
    ]
    checks.onReady(failures.noteConnected)
    connections.push(checks, announcements)
    opened = openDenylist({
      clock,
      intervalMs: 1000,
      postgresPatienceMs: 500,
      partitions: PARTITIONS,
      redis: { checks, announcements, guard: { unfit: () => unfit }, failures },
      view: journalView({ clock, issuer: 'https://signoff.test', leewaySeconds: LEEWAY_SECONDS, instanceId }),
      isHeld: (id) => held.has(id),
      leaseSeconds: 3600,
      leewaySeconds: LEEWAY_SECONDS,
      isProduction: false,
      instanceId,
      randomId: randomUUID,
      journal: rig.store.journal,
      locks: locks(rig.store.postgres, instanceId),
      instances: instances(rig.store.postgres, { id: instanceId, name: 'test' }),
      log,
      metrics,
      ...over,
    })
  }
  const until = async (question: () => boolean | Promise<boolean>) => {
    await eventually(async () => await question(), PATIENCE_MS)
  }
  const untilReadiness = async (expected: Record<string, string>) => {
    await until(() => JSON.stringify(opened.readiness()) === JSON.stringify(expected))
  }
  const metricLines = async () => (await metrics.render()).text.split('\n')
  const told = (level: string) =>
    log.lines.filter((line) => line.level === level).map(({ message }) => message)
  const check = async (sid = uuidv7()) => await opened.denylist.check({ sid, jti: uuidv4() })
  const deny = async () => {
    await opened.denylist.deny([{ id: uuidv7(), ttlMs: 60_000 }]).catch(() => undefined)
  }

  it('is not ready at first, and says once that it is, as its metrics do', async () => {
    open()
    const atFirst = opened.readiness()

    await untilReadiness(IN_LINE)

    expect(atFirst['denylist']).to.equal(OUT_OF_LINE)
    expect(await check()).to.equal('live')
    expect(told('info')).to.deep.equal([AGREES])
    expect(told('warn')).to.deep.equal([])
    expect(await metricLines()).to.include.members(['signoff_denylist_trusted 1', 'signoff_relay_leader 1'])
  })

  it('denies what this instance knows, whatever Redis says', async () => {
    open()
    await untilReadiness(IN_LINE)
    const sid = uuidv7()
    const before = await check(sid)

    held.add(sid)

    expect([before, await check(sid)]).to.deep.equal(['live', 'denied'])
  })

  it('says once why Redis cannot be used, and once that it is in line again', async () => {
    open()
    await untilReadiness(IN_LINE)

    await rig.redis.signal('SIGKILL')
    await untilReadiness({ redis: 'not connected', denylist: OUT_OF_LINE, clock: 'ok' })
    const whileAway = await metricLines()
    await until(() => told('warn').some((message) => UNUSABLE.test(message)))
    await rig.redis.start()
    await untilReadiness(IN_LINE)

    const warnings = told('warn')
    expect(warnings.filter((message) => message === DISAGREES)).to.have.length(1)
    const reasons = log.lines
      .filter(({ message }) => UNUSABLE.test(message))
      .map(({ fields }) => fields['reason'])
    expect(new Set(reasons).size).to.equal(reasons.length)
    expect(told('info')).to.deep.equal([AGREES, AGREES])
    expect(whileAway).to.include('signoff_denylist_trusted 0')
  })

  it('is not ready from the first denial that could not be written, which it counts, until all is relayed', async () => {
    open()
    await untilReadiness(IN_LINE)
    await rig.redis.client.config('SET', 'maxmemory', '1')

    await deny()
    await deny()
    const after = opened.readiness()
    await rig.redis.client.config('SET', 'maxmemory', '0')
    await untilReadiness(IN_LINE)

    expect(after).to.deep.equal({ redis: FULL, denylist: OUT_OF_LINE, clock: 'ok' })
    expect(await metricLines()).to.include('signoff_denylist_write_failures_total 2')
    expect(told('info')).to.deep.equal([AGREES, AGREES])
  })

  it('is not ready once watermarks fell in a Redis that is out of memory, without any denial', async () => {
    open()
    await untilReadiness(IN_LINE)
    await rig.redis.client.config('SET', 'maxmemory', '1')

    await rig.shorten(1)

    await untilReadiness({ redis: FULL, denylist: OUT_OF_LINE, clock: 'ok' })
    expect(await check()).to.equal('unknown')
  })

  it('relays to no Redis that may forget, in production, and says what is wrong with it', async () => {
    unfit = 'Redis evicts keys: set maxmemory-policy to noeviction'
    open(rig.redis.url, { isProduction: true })

    await untilReadiness({ redis: unfit, denylist: OUT_OF_LINE, clock: 'ok' })
    const before = await rig.syncedCount()
    unfit = null
    await untilReadiness(IN_LINE)

    expect(before).to.equal(0)
  })

  it('says that another deployment writes to this Redis, when an instance has noted that', async () => {
    open()
    await untilReadiness(IN_LINE)
    await rig.redis.client.set(OTHER_DEPLOYMENT_KEY, '1')

    await untilReadiness({ redis: 'ok', denylist: OTHER_DEPLOYMENT, clock: 'ok' })
    await until(async () => (await rig.syncedCount()) === 0)
    await rig.redis.client.del(OTHER_DEPLOYMENT_KEY)

    await untilReadiness(IN_LINE)
  })

  it('says that the clock of this machine is wrong', async () => {
    const clock = { ...systemClock, epochMs: () => Date.now() - 3_600_000 }
    open(rig.redis.url, { clock })

    await until(() => opened.readiness()['clock'] !== 'ok')

    expect(opened.readiness()['clock']).to.match(
      /^the clock of this machine is 3(599|600)\.\d s behind that of/,
    )
    const metric = (await metricLines()).find(
      (line) => line.includes('offset') && line.includes('"postgres"'),
    )
    expect(Number(metric?.split(' ')[1])).to.be.closeTo(-3600, 60)
  })

  it('tells of what was missing in Redis under a watermark, as an error that is counted', async () => {
    const sid = await rig.denied()
    await rig.age()
    let passedMs = 0
    open(rig.redis.url, { clock: { ...systemClock, steadyMs: () => performance.now() + passedMs } })
    await untilReadiness(IN_LINE)
    await until(async () => (await rig.redis.client.exists('denylist:{00}:swept')) === 1)
    await rig.redis.client.del(denialKey(sid))

    // The next sweep begins half a minute after the first one.
    await until(async () => {
      passedMs += 1000
      return await rig.isInRedis(sid)
    })

    await until(() => told('error').length === 1)
    expect(told('error')[0]).to.match(MISSING)
    expect(log.lines.find(({ level }) => level === 'error')?.fields).to.include({
      partition: '0a',
      denials: 1,
    })
    expect(await metricLines()).to.include('signoff_denylist_repaired_total{from="journal",to="redis"} 1')
  })

  it('tells of a round that carries many denials, where that takes long, and of no other', async () => {
    await rig.manyDenied(1500, 7200)
    let passedMs = 0
    const clock = { ...systemClock, steadyMs: () => performance.now() + passedMs }
    const { journal } = rig.store
    const slowJournal = {
      ...journal,
      readSince: async function* (since: number) {
        for await (const rows of journal.readSince(since)) {
          passedMs += 1000
          yield rows
        }
      },
    }

    open(rig.redis.url, { clock, journal: slowJournal })
    await untilReadiness(IN_LINE)

    const lines = log.lines.filter(({ message }) => message.includes('denials'))
    expect(lines.at(-1)?.message).to.equal('denials were written to Redis from the journal')
    expect(new Set(lines.map(({ fields }) => fields['written']))).to.deep.equal(new Set([1500]))
  })

  it('never says a secret of the address of Redis', async () => {
    await rig.redis.client.config('SET', 'requirepass', 'another')
    open(rig.redis.url.replace('//', '//:hunter2@'))

    await until(() => told('warn').some((message) => UNUSABLE.test(message)))

    expect(JSON.stringify(log.lines)).not.to.include('hunter2')
  })
})
