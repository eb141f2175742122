// What of Redis's failures reaches the system log.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import { failureLog, type FailureLog } from '../../../../src/store/relay/failure-log.ts'
import { recordingLog, type RecordingLog } from '../../../support/fakes/recording-log.ts'

describe('failureLog', () => {
  let log: RecordingLog
  let nowMs: number
  let failures: FailureLog

  beforeEach(() => {
    log = recordingLog()
    nowMs = 0
    failures = failureLog(log, () => nowMs)
  })

  const reasons = () => log.lines.map(({ fields }) => fields['reason'])

  it('tells each reason once a minute', () => {
    failures.note(new Error('one'))
    failures.note(new Error('two'))
    nowMs += 59_000
    failures.note(new Error('one'))
    nowMs += 2000
    failures.note(new Error('one'))

    expect(reasons()).to.deep.equal(['one', 'two', 'one'])
  })

  it('leaves what Postgres refuses to Postgres', () => {
    failures.note(new AuthError('unavailable'))

    expect(reasons()).to.deep.equal([])
  })

  it('calls Redis full while it refuses for want of memory, and not for longer', () => {
    const before = failures.isFull()
    failures.note(new Error("OOM command not allowed when used memory > 'maxmemory'."))
    const during = failures.isFull()
    nowMs += 4000

    expect([before, during, failures.isFull()]).to.deep.equal([false, true, false])
  })
})
