// The bound on right guesses, and guesses whose callers are gone.
import { expect } from 'chai'
import { AuthError } from '../../../src/auth/errors.ts'
import { createThrottle, type Guess, type Throttle } from '../../../src/auth/throttle.ts'
import { manualClock, type ManualClock } from '../../support/fakes/manual-clock.ts'
import {
  memoryAttemptCounters,
  type MemoryAttemptCounters,
} from '../../support/fakes/memory-attempt-counters.ts'
import { refusalOf } from '../../support/refusal-of.ts'

const ATTACKER = '203.0.113.66'
const OWNER = '198.51.100.7'
const ALICE = guessOf('alice', ATTACKER)

function guessOf(username: string, ipAddress: string): Guess {
  return { username, caller: { ipAddress, isInTime: () => true } }
}

describe('a guess of a caller who may be right, or gone', () => {
  let clock: ManualClock
  let attempts: MemoryAttemptCounters
  let throttle: Throttle

  beforeEach(() => {
    clock = manualClock()
    attempts = memoryAttemptCounters(clock)
    throttle = createThrottle(attempts)
  })

  /** A right one. */
  async function guess(by: Guess): Promise<{ evaluated: boolean; retryAfterSeconds: number }> {
    let evaluated = false
    try {
      await throttle.guess(by, async () => {
        evaluated = true
        await Promise.resolve()
      })
      return { evaluated, retryAfterSeconds: 0 }
    } catch (error) {
      if (!(error instanceof AuthError)) throw error
      return { evaluated, retryAfterSeconds: error.retryAfterSeconds }
    }
  }

  it('bounds the right ones too: each costs a hash, and leaves a session behind', async () => {
    const outcomes: { evaluated: boolean; retryAfterSeconds: number }[] = []
    for (let round = 0; round < 4; round += 1) {
      outcomes.push(...(await Promise.all(Array.from({ length: 400 }, async () => await guess(ALICE)))))
    }

    // Those under way when the last one counts are let in.
    expect(outcomes.filter(({ evaluated }) => evaluated).length).to.be.within(1200, 1216)
    expect(outcomes.at(-1)).to.deep.equal({ evaluated: false, retryAfterSeconds: 60 })
    expect((await guess(guessOf('alice', OWNER))).evaluated).to.equal(true)
    expect((await guess(guessOf('bob', ATTACKER))).evaluated).to.equal(true)
    clock.advance(60)
    expect((await guess(ALICE)).evaluated).to.equal(true)
  })

  it('evaluates and counts nothing for callers who are gone', async () => {
    const gone: Guess = { username: 'alice', caller: { ipAddress: ATTACKER, isInTime: () => false } }

    const outcomes = await Promise.all(Array.from({ length: 20 }, async () => await guess(gone)))

    expect(outcomes.filter(({ evaluated }) => evaluated).length).to.equal(0)
    expect(attempts.counts()).to.deep.equal({})
  })

  it('tells all who wait behind evaluations without an answer as soon as it is too late for them', async () => {
    let isInTime = true
    let asked = 0
    const waiting: Guess = { username: 'alice', caller: { ipAddress: ATTACKER, isInTime: () => isInTime } }
    const attempt = async (): Promise<void> => {
      asked += 1
      await new Promise((resolve) => setImmediate(resolve))
      isInTime = false
      throw new AuthError('unavailable')
    }

    const outcomes = await Promise.all(
      Array.from({ length: 300 }, async () => await refusalOf(throttle.guess(waiting, attempt))),
    )

    expect(new Set(outcomes)).to.deep.equal(new Set(['unavailable']))
    expect(asked).to.be.at.most(16)
    expect((await guess(ALICE)).evaluated).to.equal(true)
  })

  it('evaluates those who stand behind callers who gave up while they were evaluated', async () => {
    let isThere = true
    const leaving: Guess = { username: 'alice', caller: { ipAddress: ATTACKER, isInTime: () => isThere } }
    const attempt = async (): Promise<void> => {
      isThere = false
      await Promise.resolve()
      throw new AuthError('unavailable')
    }
    const left = Array.from({ length: 16 }, async () => await refusalOf(throttle.guess(leaving, attempt)))
    const waits = Array.from({ length: 20 }, async () => await guess(ALICE))

    expect(new Set(await Promise.all(left))).to.deep.equal(new Set(['unavailable']))
    expect((await Promise.all(waits)).filter(({ evaluated }) => evaluated).length).to.equal(20)
  })
})
