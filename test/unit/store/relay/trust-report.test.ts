// What log and metrics say of the denylist, tick by tick.
import { expect } from 'chai'
import { PARTITIONS } from '../../../../src/contract/denylist-keys.ts'
import type { TickFindings } from '../../../../src/store/relay/relay-tick.ts'
import { trustReport, type TrustReport } from '../../../../src/store/relay/trust-report.ts'
import { journalClock } from '../../../support/builders/journal-clock.ts'
import { partitionState, position } from '../../../support/builders/partition-state.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'

const EPOCH_MS = 1_800_000_000_000

describe('trustReport', () => {
  let log: RecordingLog
  let clock: FakeClock
  let lags: number[]
  let trusted: boolean[]
  let report: TrustReport

  beforeEach(() => {
    log = recordingLog()
    clock = fakeClock()
    lags = []
    trusted = []
    report = trustReport({
      clock,
      partitions: PARTITIONS,
      required: { requiredUpTo: EPOCH_MS - 10_000 },
      view: { believesWatermark: ({ instanceId }) => instanceId === 'one of ours' },
      log,
      metrics: {
        denylistTrusted: (isTrusted) => trusted.push(isTrusted),
        relaying: () => undefined,
        denylistLag: (seconds) => lags.push(seconds),
      },
    })
  })

  const states = (relayedUpTo: number, instanceId = 'one of ours'): TickFindings['states'] =>
    PARTITIONS.map((partition) => partitionState({ partition, ...position({ relayedUpTo, instanceId }) }))
  const postgresAt = (over: Parameters<typeof journalClock>[0]): TickFindings['postgres'] => ({
    clock: journalClock({ nowMs: EPOCH_MS, settledUpTo: EPOCH_MS, ...over }),
    askedAt: 0,
    listed: [],
    isLeader: true,
    readAtEpochMs: EPOCH_MS,
    roundTripMs: 0,
  })
  const note = (found: Partial<TickFindings>) => {
    report.note({
      states: states(EPOCH_MS - 1000),
      redisReadAtEpochMs: EPOCH_MS,
      redisRoundTripMs: 0,
      postgres: postgresAt({}),
      isLeader: true,
      ...found,
    })
  }

  it('trusts what is in line, and nothing that lacks a partition or is older than what is required', () => {
    note({})
    const inLine = report.isTrusted()
    note({ states: states(EPOCH_MS).slice(1) })
    const incomplete = report.isTrusted()
    note({ states: states(EPOCH_MS - 10_000) })

    expect([inLine, incomplete, report.isTrusted()]).to.deep.equal([true, false, false])
  })

  it('trusts no watermark that is not believed', () => {
    note({ states: states(EPOCH_MS, 'a stranger') })

    expect(report.isTrusted()).to.equal(false)
  })

  it('trusts no position that has no watermark', () => {
    note({ states: states(EPOCH_MS).map((state) => ({ ...state, watermark: null })) })

    expect(report.isTrusted()).to.equal(false)
  })

  it('tells each change once, in log and metrics', () => {
    for (let i = 0; i < 3; i += 1) note({})
    for (let i = 0; i < 3; i += 1) report.lose()

    expect(trusted).to.deep.equal([true, false])
    expect(log.lines.map(({ level }) => level)).to.deep.equal(['info', 'warn'])
  })

  it('lets the lag grow while Redis is away', async () => {
    note({})
    await clock.advance(9000)
    note({ states: [], postgres: null })

    expect(lags).to.deep.equal([1, 10])
  })

  it('calls the lag of an emptied Redis infinite', () => {
    note({ states: states(EPOCH_MS).map((state) => ({ ...state, position: null })) })

    expect(lags).to.deep.equal([Infinity])
  })

  it('warns once a minute of a transaction that holds up the watermarks', async () => {
    const postgres = postgresAt({ settledUpTo: EPOCH_MS - 12_000 })
    note({ postgres })
    await clock.advance(1000)
    note({ postgres })
    await clock.advance(60_000)
    note({ postgres })

    const warnings = log.lines.filter(({ message }) => message.startsWith('a transaction has been writing'))
    expect(warnings.map(({ fields }) => fields['seconds'])).to.deep.equal([12, 12])
  })
})
