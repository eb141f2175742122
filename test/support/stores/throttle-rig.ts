// A throttle on counters and a clock of the tests' own, and the guesses that tests make at it.
import { AuthError } from '../../../src/auth/errors.ts'
import { createThrottle, type Guess, type Throttle } from '../../../src/auth/guessing/throttle.ts'
import { manualClock, type ManualClock } from '../fakes/manual-clock.ts'
import { memoryAttemptCounters, type MemoryAttemptCounters } from '../fakes/memory-attempt-counters.ts'

export const ATTACKER = '203.0.113.66'
export const OWNER = '198.51.100.7'
export const ALICE = guessOf('alice', ATTACKER)

/** A guess of a caller who waits; `isInTime` says for how long. */
export function guessOf(username: string, ipAddress: string, isInTime: () => boolean = () => true): Guess {
  return { username, caller: { ipAddress, isInTime } }
}

export interface Outcome {
  evaluated: boolean
  /** 0 when it was not throttled. */
  retryAfterSeconds: number
}

export interface ThrottleRig {
  clock: ManualClock
  attempts: MemoryAttemptCounters
  throttle: Throttle
  /** One guess whose attempt ends with `end`, or with success. */
  guess(by: Guess, end?: Error): Promise<Outcome>
  wrong(by: Guess): Promise<Outcome>
  /** One after the other. */
  wrongTimes(times: number, by: Guess): Promise<Outcome[]>
  /** What is left of `window`, for each of its keys. */
  counted(window: string): number[]
}

export function throttleRig(): ThrottleRig {
  const clock = manualClock()
  const attempts = memoryAttemptCounters(clock)
  const throttle = createThrottle(attempts)
  const guess = async (by: Guess, end?: Error): Promise<Outcome> => await outcomeOf(throttle, by, end)
  const wrong = async (by: Guess): Promise<Outcome> => await guess(by, new AuthError('credentials_invalid'))

  return {
    clock,
    attempts,
    throttle,
    guess,
    wrong,

    wrongTimes: async (times, by) => {
      const outcomes: Outcome[] = []
      for (let time = 0; time < times; time += 1) outcomes.push(await wrong(by))
      return outcomes
    },

    counted: (window) =>
      Object.entries(attempts.counts())
        .filter(([id]) => id.startsWith(`${window}:`))
        .map(([, count]) => count),
  }
}

export function evaluatedOf(outcomes: Outcome[]): number {
  return outcomes.filter(({ evaluated }) => evaluated).length
}

async function outcomeOf(throttle: Throttle, by: Guess, end?: Error): Promise<Outcome> {
  let evaluated = false
  const attempt = async (): Promise<void> => {
    evaluated = true
    await Promise.resolve()
    if (end) throw end
  }
  try {
    await throttle.guess(by, attempt)
    return { evaluated, retryAfterSeconds: 0 }
  } catch (error) {
    if (!(error instanceof AuthError)) throw error
    return { evaluated, retryAfterSeconds: error.retryAfterSeconds }
  }
}
