// How many registrations an address has, and how many wrong secrets of peers.
import { expect } from 'chai'
import { createThrottle } from '../../../src/auth/throttle.ts'
import { manualClock } from '../../support/fakes/manual-clock.ts'
import { memoryAttemptCounters } from '../../support/fakes/memory-attempt-counters.ts'
import { refusalOf } from '../../support/refusal-of.ts'

const ATTACKER = '203.0.113.66'
const OWNER = '198.51.100.7'

describe('attempts of an address', () => {
  it('are refused from the 121st in a minute on, and told when the minute ends', async () => {
    const clock = manualClock()
    const throttle = createThrottle(memoryAttemptCounters(clock))
    for (let time = 0; time < 120; time += 1) await throttle.address(ATTACKER)
    clock.advance(30)

    const refused: unknown = await throttle.address(ATTACKER).catch((error: unknown) => error)

    expect(refused).to.include({ code: 'throttled', retryAfterSeconds: 30 })
    expect(await refusalOf(throttle.address(OWNER))).to.equal('resolved')
    clock.advance(30)
    expect(await refusalOf(throttle.address(ATTACKER))).to.equal('resolved')
  })
})

describe('wrong secrets of peers from one address', () => {
  it('are refused from the 121st in a minute on, and told when the minute ends', async () => {
    const clock = manualClock()
    const throttle = createThrottle(memoryAttemptCounters(clock))
    for (let time = 0; time < 120; time += 1) await throttle.peerFailure(ATTACKER)
    clock.advance(45)

    const refused: unknown = await throttle.peerFailure(ATTACKER).catch((error: unknown) => error)

    expect(refused).to.include({ code: 'throttled', retryAfterSeconds: 15 })
    expect(await refusalOf(throttle.peerFailure(OWNER))).to.equal('resolved')
  })

  it('leave the people behind that address alone', async () => {
    const throttle = createThrottle(memoryAttemptCounters(manualClock()))
    for (let time = 0; time < 120; time += 1) await throttle.peerFailure(ATTACKER)

    const guess = throttle.guess(
      { username: 'alice', caller: { ipAddress: ATTACKER, isInTime: () => true } },
      async () => {
        await Promise.resolve()
      },
    )

    expect(await refusalOf(guess)).to.equal('resolved')
    expect(await refusalOf(throttle.address(ATTACKER))).to.equal('resolved')
  })
})
