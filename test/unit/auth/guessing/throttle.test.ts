// How guessing is slowed, on counters and a clock of the tests' own.
import { expect } from 'chai'
import { AuthError } from '../../../../src/auth/errors.ts'
import { createThrottle, type Guess } from '../../../../src/auth/guessing/throttle.ts'
import type { AttemptCounters } from '../../../../src/auth/ports/attempts.ts'
import { eventually } from '../../../support/service/environment.ts'
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

describe('a guess', () => {
  let rig: ThrottleRig

  beforeEach(() => {
    rig = throttleRig()
  })

  /** One wrong guess each from as many addresses. */
  async function botnet(size: number): Promise<Outcome[]> {
    const addresses = Array.from({ length: size }, (_, bot) => `10.0.${Math.floor(bot / 250)}.${bot % 250}`)
    return await Promise.all(addresses.map(async (ipAddress) => await rig.wrong(guessOf('alice', ipAddress))))
  }

  it('resolves to what the attempt resolves to', async () => {
    expect(await rig.throttle.guess(ALICE, async () => await Promise.resolve('in'))).to.equal('in')
  })

  it('rejects with what the attempt rejects with', async () => {
    const broken = rig.throttle.guess(ALICE, () => Promise.reject(new AuthError('credentials_invalid')))

    expect(await refusalOf(broken)).to.equal('credentials_invalid')
  })

  describe('of one username from one address', () => {
    it('evaluates ten of 500 wrong guesses in a row at one moment', async () => {
      const outcomes = await rig.wrongTimes(500, ALICE)

      expect(evaluatedOf(outcomes)).to.equal(10)
      expect(outcomes[10]).to.deep.equal({ evaluated: false, retryAfterSeconds: 1 })
      expect(outcomes[499]).to.deep.equal({ evaluated: false, retryAfterSeconds: 1 })
    })

    it('evaluates ten of 500 wrong guesses at once, and counts no more than those', async () => {
      const outcomes = await Promise.all(Array.from({ length: 500 }, async () => await rig.wrong(ALICE)))

      expect(evaluatedOf(outcomes)).to.equal(10)
      expect(rig.counted('pair')).to.deep.equal([10])
      expect(rig.counted('username')).to.deep.equal([10])
      expect(rig.counted('address')).to.deep.equal([10])
    })

    it('lets 250 right ones in at once', async () => {
      const outcomes = await Promise.all(Array.from({ length: 250 }, async () => await rig.guess(ALICE)))

      expect(evaluatedOf(outcomes)).to.equal(250)
      expect(rig.attempts.counts()).to.deep.equal({ [`login:${JSON.stringify([ATTACKER, 'alice'])}`]: 250 })
    })

    it('goes on when evaluations end without an answer, several in a row too', async () => {
      let asked = 0
      const attempt = async (): Promise<void> => {
        asked += 1
        const isUnanswered = asked <= 12
        await after()
        if (isUnanswered) throw new AuthError('unavailable')
      }

      const outcomes = await Promise.all(
        Array.from({ length: 100 }, async () => await refusalOf(rig.throttle.guess(ALICE, attempt))),
      )

      expect(outcomes.filter((outcome) => outcome === 'unavailable')).to.have.length(12)
      expect(outcomes.filter((outcome) => outcome === 'resolved')).to.have.length(88)
    })

    it('tells those beyond 512 at once that there is no room, and nobody after that', async () => {
      const outcomes = await Promise.all(
        Array.from(
          { length: 520 },
          async (_, n) =>
            await refusalOf(
              rig.throttle.guess(guessOf(`user-${n % 4}`, ATTACKER), async () => {
                await after()
              }),
            ),
        ),
      )

      expect(outcomes.filter((outcome) => outcome === 'unavailable')).to.have.length(8)
      expect((await rig.guess(ALICE)).evaluated).to.equal(true)
    })

    it('asks the counters nothing for one that would have to wait whatever they say', async () => {
      let asked = 0
      const peek: AttemptCounters['peek'] = async (window, key) => {
        asked += 1
        return await rig.attempts.peek(window, key)
      }
      const throttle = createThrottle({ ...rig.attempts, peek })
      const held: (() => void)[] = []
      const attempt = async (): Promise<void> => {
        await new Promise<void>((resolve) => held.push(resolve))
      }
      const askedFor = async (evaluated: number): Promise<number> => {
        await eventually(() => held.length === evaluated)
        await after()
        return asked
      }

      const guesses = Array.from({ length: 6 }, async (_, n) => {
        await throttle.guess(guessOf(`user-${n}`, ATTACKER), attempt)
      })
      const ofFour = await askedFor(4)
      held[0]?.()
      const ofFive = await askedFor(5)
      for (const resolve of held) resolve()
      const ofSix = await askedFor(6)
      for (const resolve of held) resolve()
      await Promise.all(guesses)

      expect([ofFive, ofSix]).to.deep.equal([(ofFour / 4) * 5, (ofFour / 4) * 6])
    })

    it('evaluates no more than four of one address at a time', async () => {
      let underWay = 0
      let most = 0
      const attempt = async (): Promise<void> => {
        underWay += 1
        most = Math.max(most, underWay)
        await after()
        underWay -= 1
      }

      await Promise.all(
        Array.from({ length: 100 }, async () => {
          await rig.throttle.guess(ALICE, attempt)
        }),
      )

      expect(most).to.equal(4)
    })

    it('makes each wait twice the one before, up to 15 minutes', async () => {
      await rig.wrongTimes(10, ALICE)
      const waits: number[] = []
      for (let time = 0; time < 12; time += 1) {
        const { retryAfterSeconds } = await rig.wrong(ALICE)
        waits.push(retryAfterSeconds)
        rig.clock.advance(retryAfterSeconds - 0.001)
        expect((await rig.wrong(ALICE)).evaluated).to.equal(false)
        rig.clock.advance(0.001)
        expect((await rig.wrong(ALICE)).evaluated).to.equal(true)
      }

      expect(waits).to.deep.equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
    })

    it('evaluates 22 guesses an hour of one who waits each time as long as it says', async () => {
      const endsAtMs = rig.clock.nowMs() + 3600_000
      let evaluated = 0
      while (rig.clock.nowMs() < endsAtMs) {
        const outcome = await rig.wrong(ALICE)
        if (outcome.evaluated) evaluated += 1
        rig.clock.advance(outcome.retryAfterSeconds)
      }

      expect(evaluated).to.equal(22)
    })

    it('begins again when the hour is over', async () => {
      await rig.wrongTimes(12, ALICE)

      rig.clock.advance(3600)

      expect(evaluatedOf(await rig.wrongTimes(20, ALICE))).to.equal(10)
    })

    it('takes a name for the same however it is spelt', async () => {
      await rig.wrongTimes(3, { ...ALICE, username: 'Am\u00e9lie' })
      await rig.wrongTimes(3, { ...ALICE, username: 'ａｍ\u00e9ｌｉｅ' })
      const outcomes = await rig.wrongTimes(6, { ...ALICE, username: '  AME\u0301LIE ' })

      expect(evaluatedOf(outcomes)).to.equal(4)
      expect(rig.counted('username')).to.deep.equal([10])
    })

    it('forgets the failures, and the wait that they brought, with a success', async () => {
      await rig.wrongTimes(10, ALICE)
      rig.clock.advance(1)

      await rig.guess(ALICE)

      expect(rig.counted('pair')).to.deep.equal([])
      expect(rig.counted('wait')).to.deep.equal([])
      expect(evaluatedOf(await rig.wrongTimes(20, ALICE))).to.equal(10)
    })

    it('does not count what fails for another reason', async () => {
      for (const end of [new AuthError('unavailable'), new AuthError('throttled')]) {
        for (let time = 0; time < 50; time += 1) {
          expect((await rig.guess(ALICE, end)).evaluated).to.equal(true)
        }
      }
      const broken = rig.throttle.guess(ALICE, () => Promise.reject(new TypeError('a defect')))

      expect(await broken.catch((error: unknown) => error)).to.be.instanceOf(TypeError)
      expect(rig.counted('pair')).to.deep.equal([])
      expect(rig.counted('username')).to.deep.equal([])
    })

    it('does not let one address use up the waits of another name', async () => {
      await rig.wrongTimes(50, ALICE)

      expect(evaluatedOf(await rig.wrongTimes(20, { ...ALICE, username: 'bob' }))).to.equal(10)
    })
  })

  describe('of one username from anywhere', () => {
    it('lets the owner in elsewhere, in the middle of 500 guesses', async () => {
      const owner = guessOf('alice', OWNER)
      const flood = Array.from({ length: 250 }, async () => await rig.wrong(ALICE))
      const during = rig.guess(owner)
      const rest = Array.from({ length: 250 }, async () => await rig.wrong(ALICE))

      expect(await during).to.deep.equal({ evaluated: true, retryAfterSeconds: 0 })
      await Promise.all([...flood, ...rest])
      expect((await rig.guess(owner)).evaluated).to.equal(true)
    })

    it('gives each address one guess, then growing waits, once 100 have failed', async () => {
      await botnet(100)
      const newcomer = guessOf('alice', OWNER)

      const outcomes = [await rig.wrong(newcomer), await rig.wrong(newcomer), await rig.wrong(newcomer)]
      rig.clock.advance(1)
      outcomes.push(await rig.wrong(newcomer), await rig.wrong(newcomer))

      expect(outcomes.map(({ evaluated }) => evaluated)).to.deep.equal([true, false, false, true, false])
      expect(outcomes.map(({ retryAfterSeconds }) => retryAfterSeconds)).to.deep.equal([0, 1, 1, 0, 2])
    })

    it('leaves the allowance as it is up to the hundredth failure', async () => {
      await botnet(98)

      const outcomes = await rig.wrongTimes(4, ALICE)

      // The third would be the 101st, from an address that has failed twice: it passes, and begins a wait.
      expect(outcomes.map(({ evaluated }) => evaluated)).to.deep.equal([true, true, true, false])
    })

    it('lets the owner in from an address that has not failed, however many guesses a botnet makes', async () => {
      const bots = await botnet(5000)

      expect(evaluatedOf(bots)).to.equal(5000)
      expect((await rig.guess(guessOf('alice', OWNER))).evaluated).to.equal(true)
      expect((await rig.guess(guessOf('alice', OWNER))).evaluated).to.equal(true)
    })

    it('takes an IPv6 /48 for one address then, in a row and all at once', async () => {
      await botnet(100)
      const neighbour = (n: number): Guess => guessOf('alice', `2001:db8:7:${n.toString(16)}::1`)

      const outcomes = await Promise.all(
        Array.from({ length: 400 }, async (_, n) => await rig.wrong(neighbour(n))),
      )
      outcomes.push(await rig.wrong(neighbour(401)))

      expect(evaluatedOf(outcomes)).to.equal(1)
      expect((await rig.wrong(guessOf('alice', '2001:db8:8::1'))).evaluated).to.equal(true)
    })

    it('counts no success, and forgives nobody else for one', async () => {
      await rig.wrongTimes(3, ALICE)

      await rig.guess(guessOf('alice', OWNER))

      expect(rig.counted('username')).to.deep.equal([3])
    })
  })

  describe('of one address', () => {
    const spray = async (times: number, ipAddress: string): Promise<Outcome[]> => {
      const outcomes: Outcome[] = []
      for (let time = 0; time < times; time += 1) {
        outcomes.push(await rig.wrong(guessOf(`user-${time}`, ipAddress)))
      }
      return outcomes
    }

    it('evaluates 120 wrong guesses a minute, whoever they are for', async () => {
      const outcomes = await spray(130, ATTACKER)
      rig.clock.advance(20.5)
      const { retryAfterSeconds } = await rig.wrong(ALICE)
      rig.clock.advance(39.5)

      expect(evaluatedOf(outcomes)).to.equal(120)
      expect(outcomes[120]).to.deep.equal({ evaluated: false, retryAfterSeconds: 60 })
      expect(retryAfterSeconds).to.equal(40)
      expect((await rig.wrong(ALICE)).evaluated).to.equal(true)
    })

    it('evaluates no more of them when they come all at once, for as many names', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 400 }, async (_, n) => await rig.wrong(guessOf(`user-${n}`, ATTACKER))),
      )

      expect(evaluatedOf(outcomes)).to.equal(120)
      expect(outcomes.at(-1)).to.deep.equal({ evaluated: false, retryAfterSeconds: 60 })
    })

    it('lets 400 right ones of as many names in at once', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 400 }, async (_, n) => await rig.guess(guessOf(`user-${n}`, ATTACKER))),
      )

      expect(evaluatedOf(outcomes)).to.equal(400)
    })

    it('leaves no other key behind of what it refuses', async () => {
      await spray(5000, ATTACKER)

      // The address, and of each guess the username, the pair and the site.
      expect(Object.keys(rig.attempts.counts())).to.have.length(1 + 120 * 3)
    })

    it('takes an IPv6 /64 for one address', async () => {
      await spray(120, '2001:db8:1:2::1')

      const [same] = await spray(1, '2001:db8:1:2:ffff::2')
      const [neighbour] = await spray(1, '2001:db8:1:3::1')

      expect([same?.evaluated, neighbour?.evaluated]).to.deep.equal([false, true])
    })
  })

  it('says the same of a user that exists and of one that does not', async () => {
    const says = async (username: string): Promise<Outcome[]> => {
      const outcomes = await rig.wrongTimes(15, guessOf(username, `${username}-address`))
      rig.clock.advance(1)
      return [...outcomes, ...(await rig.wrongTimes(3, guessOf(username, `${username}-address`)))]
    }

    expect(await says('alice')).to.deep.equal(await says('no such user'))
  })
})

const after = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve))
}
