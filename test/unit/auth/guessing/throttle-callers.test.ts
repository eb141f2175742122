// The bound on right guesses, and guesses whose callers are gone.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import { refusalOf } from '../../../support/clients/refusal-of.ts'
import {
  ALICE,
  ATTACKER,
  evaluatedOf,
  guessOf,
  OWNER,
  throttleRig,
  type Outcome,
  type ThrottleRig,
} from '../../../support/stores/throttle-rig.ts'

describe('a guess of a caller who may be right, or gone', () => {
  let rig: ThrottleRig

  beforeEach(() => {
    rig = throttleRig()
  })

  it('bounds the right ones too: each costs a hash, and leaves a session behind', async () => {
    const outcomes: Outcome[] = []
    for (let round = 0; round < 4; round += 1) {
      outcomes.push(...(await Promise.all(Array.from({ length: 400 }, async () => await rig.guess(ALICE)))))
    }

    // Those under way when the last one counts are let in.
    expect(evaluatedOf(outcomes)).to.be.within(1200, 1216)
    expect(outcomes.at(-1)).to.deep.equal({ evaluated: false, retryAfterSeconds: 60 })
    expect((await rig.guess(guessOf('alice', OWNER))).evaluated).to.equal(true)
    expect((await rig.guess(guessOf('bob', ATTACKER))).evaluated).to.equal(true)
    rig.clock.advance(60)
    expect((await rig.guess(ALICE)).evaluated).to.equal(true)
  })

  it('evaluates and counts nothing for callers who are gone', async () => {
    const gone = guessOf('alice', ATTACKER, () => false)

    const outcomes = await Promise.all(Array.from({ length: 20 }, async () => await rig.guess(gone)))

    expect(evaluatedOf(outcomes)).to.equal(0)
    expect(rig.attempts.counts()).to.deep.equal({})
  })

  it('tells all who wait behind evaluations without an answer as soon as it is too late for them', async () => {
    let isInTime = true
    let asked = 0
    const waiting = guessOf('alice', ATTACKER, () => isInTime)
    const attempt = async (): Promise<void> => {
      asked += 1
      await new Promise((resolve) => setImmediate(resolve))
      isInTime = false
      throw new AuthError('unavailable')
    }

    const outcomes = await Promise.all(
      Array.from({ length: 300 }, async () => await refusalOf(rig.throttle.guess(waiting, attempt))),
    )

    expect(new Set(outcomes)).to.deep.equal(new Set(['unavailable']))
    expect(asked).to.be.at.most(4)
    expect((await rig.guess(ALICE)).evaluated).to.equal(true)
  })

  it('evaluates those who stand behind callers who gave up while they were evaluated', async () => {
    let isThere = true
    const leaving = guessOf('alice', ATTACKER, () => isThere)
    const attempt = async (): Promise<void> => {
      isThere = false
      await Promise.resolve()
      throw new AuthError('unavailable')
    }
    const left = Array.from({ length: 16 }, async () => await refusalOf(rig.throttle.guess(leaving, attempt)))
    const waits = Array.from({ length: 20 }, async () => await rig.guess(ALICE))

    expect(new Set(await Promise.all(left))).to.deep.equal(new Set(['unavailable']))
    expect(evaluatedOf(await Promise.all(waits))).to.equal(20)
  })
})
