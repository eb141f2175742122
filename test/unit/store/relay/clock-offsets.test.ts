// What is said of a clock that is wrong: as a metric always, in words once it matters.
import { expect } from 'chai'
import {
  clockOffsets,
  type ClockOffsets,
  type ClockStore,
} from '../../../../src/store/relay/clock-offsets.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'

const EPOCH_MS = 1_800_000_000_000

describe('clockOffsets', () => {
  let clock: FakeClock
  let log: RecordingLog
  let measured: [of: string, seconds: number][]
  let offsets: ClockOffsets

  beforeEach(() => {
    clock = fakeClock()
    log = recordingLog()
    measured = []
    offsets = withLeeway(5)
  })

  const withLeeway = (leewaySeconds: number) =>
    clockOffsets({
      clock,
      leewaySeconds,
      log,
      metrics: { clockOffset: (of, seconds) => measured.push([of, seconds]) },
    })
  /** This machine's clock is ahead of the store's by that much. */
  const ahead = (
    ms: number,
    { of = 'Postgres', roundTripMs = 0 }: { of?: ClockStore; roundTripMs?: number } = {},
  ) => {
    offsets.note(of, { nowMs: EPOCH_MS, readAtEpochMs: EPOCH_MS + ms, roundTripMs })
  }

  it('measures every reading, of each store', () => {
    ahead(250)
    ahead(-1500, { of: 'Redis' })

    expect(measured).to.deep.equal([
      ['postgres', 0.25],
      ['redis', -1.5],
    ])
    expect([offsets.problem(), log.lines]).to.deep.equal([null, []])
  })

  it('bears half of the leeway, in either direction', () => {
    const problems = [2500, -2500, 2501, -2501].map((ms) => {
      ahead(ms)
      return offsets.problem()
    })

    expect(problems).to.deep.equal([
      null,
      null,
      'the clock of this machine is 2.5 s ahead of that of Postgres, which is more than half of LEEWAY: set the clocks right (NTP)',
      'the clock of this machine is 2.5 s behind that of Postgres, which is more than half of LEEWAY: set the clocks right (NTP)',
    ])
  })

  it('bears half a second where there is no leeway', () => {
    offsets = withLeeway(0)
    ahead(500)
    const borne = offsets.problem()
    ahead(501)

    expect(borne).to.equal(null)
    expect(offsets.problem()).to.include('0.5 s ahead')
  })

  it('blames no clock for the time that an answer took', () => {
    ahead(4000, { roundTripMs: 3000 })
    const borne = offsets.problem()
    ahead(4001, { roundTripMs: 3000 })

    expect(borne).to.equal(null)
    expect(offsets.problem()).to.include('4.0 s ahead')
  })

  it('says so until the clock of that store is right again, whatever the other one shows', () => {
    ahead(10_000, { of: 'Redis' })
    ahead(0)
    const meanwhile = offsets.problem()
    ahead(0, { of: 'Redis' })

    expect(meanwhile).to.include('that of Redis')
    expect(offsets.problem()).to.equal(null)
  })

  it('warns once a minute', async () => {
    ahead(10_000)
    await clock.advance(59_000)
    ahead(10_000, { of: 'Redis' })
    await clock.advance(1000)
    ahead(-10_000, { of: 'Redis' })

    expect(log.lines.map(({ level, fields }) => ({ level, fields }))).to.deep.equal([
      { level: 'warn', fields: { seconds: 10, of: 'Postgres' } },
      { level: 'warn', fields: { seconds: -10, of: 'Redis' } },
    ])
  })
})
