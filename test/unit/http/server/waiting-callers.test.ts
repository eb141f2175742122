// Whether a caller still waits: by its connection, and by whether the process stood still meanwhile.
import { expect } from 'chai'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../../../../src/clock.ts'
import { waitingCallers } from '../../../../src/http/server/waiting-callers.ts'
import { recordingLog } from '../../../support/fakes/recording-log.ts'

describe('waitingCallers', () => {
  let steadyMs: number
  let epochMs: number
  let timer: () => void

  beforeEach(() => {
    ;[steadyMs, epochMs, timer] = [0, 1_800_000_000_000, () => undefined]
  })

  const clock: Clock = {
    steadyMs: () => steadyMs,
    epochMs: () => epochMs,
    after: (_ms, callback) => {
      timer = callback
      return () => (timer = () => undefined)
    },
  }
  const pass = (ms: number) => {
    steadyMs += ms
    epochMs += ms
  }
  /** As time passes for a process that runs. */
  const run = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      pass(500)
      timer()
    }
  }
  const request = (socket = { destroyed: false, writable: true, readableEnded: false }) =>
    ({ socket }) as unknown as IncomingMessage
  const arrived = (callers: ReturnType<typeof waitingCallers>) => {
    const message = request()
    callers.arrived(message)
    return message
  }

  it('waits as long as the connection is open', () => {
    const callers = waitingCallers(clock, recordingLog())
    const message = arrived(callers)

    expect(callers.isWaiting(message)).to.equal(true)
    run(60_000)
    expect(callers.isWaiting(message)).to.equal(true)
  })

  it('is in time for a hash at first, and not for as long as the caller waits', () => {
    const callers = waitingCallers(clock, recordingLog())
    const message = arrived(callers)

    run(1500)
    expect(callers.isInTime(message)).to.equal(true)
    run(500)
    expect([callers.isInTime(message), callers.isWaiting(message)]).to.deep.equal([false, true])
  })

  it('is done with one that has its answer', () => {
    const callers = waitingCallers(clock, recordingLog())
    const message = arrived(callers)
    callers.dismiss(message)

    expect([callers.isInTime(message), callers.isWaiting(message)]).to.deep.equal([false, false])
  })

  for (const gone of [
    { destroyed: true, writable: true, readableEnded: false },
    { destroyed: false, writable: false, readableEnded: false },
    { destroyed: false, writable: true, readableEnded: true },
  ]) {
    it(`does not wait behind a socket that is ${JSON.stringify(gone)}`, () => {
      const callers = waitingCallers(clock, recordingLog())
      const message = request(gone)
      callers.arrived(message)

      expect(callers.isWaiting(message)).to.equal(false)
    })
  }

  it('does not wait when the process stood still after the request was read', () => {
    const callers = waitingCallers(clock, recordingLog())
    const message = arrived(callers)

    pass(12_000)

    expect(callers.isWaiting(message)).to.equal(false)
    run(60_000)
    expect(callers.isWaiting(message)).to.equal(false)
  })

  it('does not wait when its request lay in the socket meanwhile, whatever comes first: it or a timer', () => {
    for (const first of ['request', 'timer']) {
      const callers = waitingCallers(clock, recordingLog())
      pass(12_000)
      if (first === 'timer') timer()
      pass(20)
      const message = arrived(callers)

      expect(callers.isWaiting(message), first).to.equal(false)
      callers.close()
    }
  })

  it('waits when the request comes after the process has caught up', () => {
    const callers = waitingCallers(clock, recordingLog())
    pass(12_000)
    run(3000)

    expect(callers.isWaiting(arrived(callers))).to.equal(true)
  })

  it('does not wait when the machine slept, which only the other clock tells', () => {
    const callers = waitingCallers(clock, recordingLog())
    const message = arrived(callers)

    epochMs += 60_000

    expect(callers.isWaiting(message)).to.equal(false)
  })

  it('takes a process that is busy for one that runs, and a clock that is set back for nothing', () => {
    const callers = waitingCallers(clock, recordingLog())
    const message = arrived(callers)

    pass(2900)
    timer()
    epochMs -= 3_600_000
    timer()

    expect(callers.isWaiting(message)).to.equal(true)
  })
})
