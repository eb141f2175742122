// What log and metrics say of the denylist, tick by tick.
import { expect } from 'chai'
import { PARTITIONS } from '../../../../src/contract/denylist-keys.ts'
import type { TickFindings } from '../../../../src/store/relay/relay-tick.ts'
import { trustReport, type TrustReport } from '../../../../src/store/relay/trust-report.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'

const EPOCH_MS = 1_800_000_000_000

describe('trustReport', () => {
  let log: RecordingLog
  let nowMs: number
  let lags: number[]
  let report: TrustReport

  beforeEach(() => {
    log = recordingLog()
    nowMs = 0
    lags = []
    report = trustReport({
      denylist: { requiredUpTo: EPOCH_MS - 10_000 },
      log,
      metrics: {
        denylistTrusted: () => undefined,
        relaying: () => undefined,
        denylistLag: (seconds) => lags.push(seconds),
      },
      now: () => nowMs,
    })
  })

  const states = (relayedUpTo: number): TickFindings['states'] =>
    PARTITIONS.map((partition) => ({
      partition,
      position: 'x',
      relayedUpTo,
      isSynced: true,
      redisNowMs: EPOCH_MS,
    }))
  const note = (found: Partial<TickFindings>) => {
    report.note({
      states: states(EPOCH_MS - 1000),
      postgres: { nowMs: EPOCH_MS, settledUpTo: EPOCH_MS },
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

  it('lets the lag grow while Redis is away', () => {
    note({})
    nowMs += 9000
    note({ states: [], postgres: null })

    expect(lags).to.deep.equal([1, 10])
  })

  it('calls the lag of an emptied Redis infinite', () => {
    note({ states: states(0) })

    expect(lags).to.deep.equal([Infinity])
  })

  it('warns once a minute of a transaction that holds up the watermarks', () => {
    const postgres = { nowMs: EPOCH_MS, settledUpTo: EPOCH_MS - 12_000 }
    note({ postgres })
    nowMs += 1000
    note({ postgres })
    nowMs += 60_000
    note({ postgres })

    const warnings = log.lines.filter(({ message }) => message.startsWith('a transaction has been writing'))
    expect(warnings.map(({ fields }) => fields['seconds'])).to.deep.equal([12, 12])
  })
})
