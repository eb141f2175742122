// The denylist as the service opens it: in line, it says so; whatever is wrong is told once, and counted.
import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { createMetrics, type Metrics } from '../../../../src/ops/metrics.ts'
import { instances } from '../../../../src/store/postgres/instances.ts'
import { locks } from '../../../../src/store/postgres/locks.ts'
import { openDenylist, type OpenDenylist } from '../../../../src/store/relay/open-denylist.ts'
import { eventually } from '../../../support/environment.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'
import { relayRig, type RelayRig } from '../../../support/relay-rig.ts'

const IN_LINE = { redis: 'ok', denylist: 'ok' }
const FULL = 'out of memory: logouts are kept by Postgres alone until it has room (raise maxmemory)'
const OUT_OF_LINE = 'not in sync with the journal, which is asked instead'
const AGREES = 'Redis agrees with the journal: checks ask Redis'
const DISAGREES = 'Redis is not known to agree with the journal: checks ask Postgres'
const UNUSABLE = 'Redis fails: checks that it cannot answer ask Postgres'

describe('openDenylist', () => {
  let rig: RelayRig
  let log: RecordingLog
  let metrics: Metrics
  let opened: OpenDenylist

  beforeEach(async () => {
    rig = await relayRig()
    log = recordingLog()
    metrics = createMetrics()
  })
  afterEach(async () => {
    await opened.close()
    await rig.close()
  })

  const open = (redisUrl = rig.redis.url) => {
    const instanceId = randomUUID()
    opened = openDenylist({
      redisUrl,
      leaseSeconds: 2,
      isProduction: false,
      instanceId,
      journal: rig.store.journal,
      locks: locks(rig.store.postgres, instanceId),
      instances: instances(rig.store.postgres, { id: instanceId, name: 'test' }),
      log,
      metrics,
    })
  }
  const untilReadiness = async (expected: Record<string, string>) => {
    await eventually(
      async () => await Promise.resolve(JSON.stringify(opened.readiness()) === JSON.stringify(expected)),
      6000,
    )
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

  it('says once why Redis cannot be used, and once that it is in line again', async () => {
    open()
    await untilReadiness(IN_LINE)

    await rig.redis.signal('SIGKILL')
    await untilReadiness({ redis: 'not connected', denylist: OUT_OF_LINE })
    const whileAway = await metricLines()
    await eventually(async () => await Promise.resolve(told('warn').includes(UNUSABLE)), 3000)
    await rig.redis.start()
    await untilReadiness(IN_LINE)

    const warnings = told('warn')
    expect(warnings.filter((message) => message === DISAGREES)).to.have.length(1)
    const reasons = log.lines
      .filter(({ message }) => message === UNUSABLE)
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

    expect(after).to.deep.equal({ redis: FULL, denylist: OUT_OF_LINE })
    expect(await metricLines()).to.include('signoff_denylist_write_failures_total 2')
    expect(told('info')).to.deep.equal([AGREES, AGREES])
  })

  it('is not ready once Redis has been out of memory for longer than the lease, without any denial', async () => {
    open()
    await untilReadiness(IN_LINE)

    await rig.redis.client.config('SET', 'maxmemory', '1')

    await untilReadiness({ redis: FULL, denylist: OUT_OF_LINE })
    expect(await check()).to.equal('unknown')
  })

  it('tells of a round that carries many denials, and of no other', async () => {
    await rig.manyDenied(1500)

    open()
    await untilReadiness(IN_LINE)

    const lines = log.lines.filter(({ message }) => message.includes('denials'))
    expect(lines.map(({ message }) => message)).to.include('denials were written to Redis from the journal')
    expect(lines.at(-1)?.fields['written']).to.equal(1500)
    expect(lines.length).to.be.at.most(2)
  })

  it('never says a secret of the address of Redis', async () => {
    await rig.redis.client.config('SET', 'requirepass', 'another')
    open(rig.redis.url.replace('//', '//:hunter2@'))

    await eventually(async () => await Promise.resolve(told('warn').includes(UNUSABLE)), 3000)

    expect(JSON.stringify(log.lines)).not.to.include('hunter2')
  })
})
