// How many registrations an address has.
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
