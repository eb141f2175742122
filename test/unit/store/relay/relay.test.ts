// When the relay ticks: once a second, sooner in a hurry, at once when Redis is back, and never two at a time.
import { expect } from 'chai'
import { sleep } from '../../../../src/clock.ts'
import { startRelay, type Relay } from '../../../../src/store/relay/relay.ts'
import { fakeClock, type FakeClock } from '../../../support/fakes/fake-clock.ts'

describe('startRelay', () => {
  let clock: FakeClock
  let relay: Relay
  /** When ticks began, and the most of them at once. */
  let begun: number[]
  let underway: number
  let mostUnderway: number
  let left: number
  let failures: unknown[]
  /** What a tick does, and whether it is followed by one soon. */
  let work: () => Promise<boolean>
  let reconnect: () => void

  beforeEach(() => {
    clock = fakeClock()
    ;[begun, underway, mostUnderway, left, failures] = [[], 0, 0, 0, []]
    work = async () => await Promise.resolve(false)
  })

  const start = () => {
    relay = startRelay({
      clock,
      intervalMs: 1000,
      connection: {
        onReady: (listener) => {
          reconnect = listener
        },
      },
      relayTick: {
        tick: async () => {
          begun.push(clock.steadyMs())
          underway += 1
          mostUnderway = Math.max(mostUnderway, underway)
          try {
            return await work()
          } finally {
            underway -= 1
          }
        },
        leave: async () => {
          left += 1
          await Promise.resolve()
        },
      },
      onFailure: (error) => failures.push(error),
    })
  }
  const taking = (ms: number, isHurried: boolean) => async () => {
    await sleep(clock, ms)
    return isHurried
  }

  it('ticks at once, and then once a second', async () => {
    start()
    await clock.advance(2999)

    expect(begun).to.deep.equal([0, 1000, 2000])
  })

  it('counts the second from the beginning of a tick, and rests after a long one for as long, or half a second', async () => {
    work = taking(300, false)
    start()
    await clock.advance(500)
    work = taking(700, false)
    await clock.advance(1000)
    work = taking(1200, false)
    await clock.advance(2500)

    expect(begun).to.deep.equal([0, 1000, 2200, 3900])
  })

  it('ticks every fifth of a second while in a hurry', async () => {
    work = async () => await Promise.resolve(true)
    start()

    await clock.advance(799)

    expect(begun).to.deep.equal([0, 200, 400, 600])
  })

  it('goes on after a tick that failed', async () => {
    work = async () => await Promise.reject(new Error('no'))
    start()

    await clock.advance(1999)

    expect(failures).to.have.length(2)
  })

  it('ticks as soon as Redis is back, after the tick that is under way', async () => {
    work = taking(300, false)
    start()
    await clock.advance(50)

    reconnect()
    await clock.advance(450)

    expect(begun).to.deep.equal([0, 300])
    expect(mostUnderway).to.equal(1)
  })

  it('keeps to one tick a second after it was woken many times', async () => {
    start()
    await clock.advance(10)
    for (let i = 0; i < 3; i += 1) {
      reconnect()
      await clock.advance(10)
    }
    const before = begun.length
    await clock.advance(1999)

    expect(before).to.equal(4)
    expect(begun.length - before).to.equal(2)
  })

  it('stops when the tick that is under way is over, leaves once, and never ticks again', async () => {
    work = taking(300, true)
    start()
    await clock.advance(50)

    const stopped = relay.stop()
    await clock.advance(100)
    const meanwhile = { underway, left }
    await clock.advance(200)
    await stopped
    const atStop = { underway, left }
    reconnect()
    await clock.advance(5000)

    expect([meanwhile, atStop]).to.deep.equal([
      { underway: 1, left: 0 },
      { underway: 0, left: 1 },
    ])
    expect(begun).to.have.length(1)
  })
})
