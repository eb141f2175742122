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

  it('says what is wrong, and what to do', () => {
    failures.note(new Error('WRONGPASS invalid username-password pair or user is disabled.'))

    expect(log.lines.map(({ message }) => message)).to.deep.equal([
      'Redis fails: wrong credentials: Redis refuses the user or the password (see REDIS_URL, and the ACL of Redis)',
    ])
  })

  it('says what stands while it goes on, and for no longer', () => {
    const before = failures.standing()
    failures.note(new Error("OOM command not allowed when used memory > 'maxmemory'."))
    const during = failures.standing()?.kind
    nowMs += 3001

    expect([before, during, failures.standing()]).to.deep.equal([null, 'out-of-memory', null])
  })

  it('no longer says that there is no answer once there is a connection, but goes on about what is refused', () => {
    failures.note(new Error('connect ECONNREFUSED 127.0.0.1:6379'))
    failures.noteConnected()
    const afterSilence = failures.standing()
    failures.note(new Error("READONLY You can't write against a read only replica."))
    failures.noteConnected()

    expect([afterSilence, failures.standing()?.kind]).to.deep.equal([null, 'read-only'])
  })
})
