// Whether a newcomer gets in while forty addresses guess passwords, sixteen at a time each.
import { setTimeout as sleep } from 'node:timers/promises'
import { PASSWORD } from '../support/service/environment.ts'
import { targetOf, type Bench } from './bench.ts'
import { loginBodies, refreshBodies } from './bodies.ts'
import { openGenerator, type Generator } from './generator.ts'
import { percentile } from './percentiles.ts'
import { refreshTimes, type RefreshTimes } from './refresh-times.ts'

export interface GuessesResult {
  /** Refreshes at rest, just before. */
  rest: RefreshTimes
  during: RefreshTimes
  /** Logins of people whose addresses ask for the first time. */
  newcomers: { p50Ms: number; maxMs: number; statuses: Record<number, number> }
  guesses: { perSecond: number; statuses: Record<number, number> }
}

const ADDRESSES = 40
const AT_A_TIME = 16
const GUESSES = 10 * ADDRESSES * AT_A_TIME
const NEWCOMERS_PER_SECOND = 4
const REFRESHES = { path: '/auth/token/refresh/', connections: 8, perSecond: 200 }

export async function measureGuesses({
  environment,
  population,
  options,
  say,
}: Bench): Promise<GuessesResult> {
  const crowdTarget = await targetOf(environment, ADDRESSES * AT_A_TIME)
  const crowd = await openGenerator({ ...crowdTarget, addresses: ADDRESSES })
  const probe = await openGenerator(await targetOf(environment, REFRESHES.connections))
  try {
    const bodies = refreshBodies(await population.beginSessions(1000))
    const refreshes = { ...REFRESHES, bodies, seconds: options.seconds }
    await probe.run({ ...refreshes, seconds: 1 })
    say('refreshes at rest')
    const rest = refreshTimes(await probe.run(refreshes))

    say(`${ADDRESSES} addresses guess, ${AT_A_TIME} at a time each`)
    const guessing = guess(crowd, population.usernames)
    const comers = newcomers(environment, options.seconds)
    const during = refreshTimes(await probe.run(refreshes))
    const { latencies, statuses } = await comers
    crowd.finish()
    const guessed = await guessing
    return {
      rest,
      during,
      newcomers: { p50Ms: percentile(latencies, 50), maxMs: percentile(latencies, 100), statuses },
      guesses: { perSecond: guessed.latencies.length / guessed.seconds, statuses: guessed.statuses },
    }
  } finally {
    await Promise.all([crowd.close(), probe.close()])
  }
}

/** Wrong and right ones in turn; so many that none is refused for those before it, without being looked at. */
async function guess(crowd: Generator, usernames: readonly string[]) {
  const wrong = loginBodies(usernames, 'wrong')
  const both = loginBodies(usernames).flatMap((right, index) => [right, wrong[index] ?? right])
  const bodies = Array.from({ length: GUESSES }, (_, index) => both[index % both.length] ?? '')
  const connections = ADDRESSES * AT_A_TIME
  return await crowd.run({ path: '/auth/login/', connections, seconds: 600, bodies, once: true })
}

async function newcomers(
  { signoff }: Bench['environment'],
  seconds: number,
): Promise<{ latencies: number[]; statuses: Record<number, number> }> {
  const latencies: number[] = []
  const statuses: Record<number, number> = {}
  const one = async (number: number): Promise<void> => {
    const start = performance.now()
    const { status } = await signoff.call('/auth/login/', {
      json: { username: 'alice', password: PASSWORD },
      headers: { 'X-Forwarded-For': `198.18.${number >> 8}.${number & 255}` },
    })
    latencies.push(performance.now() - start)
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  const under: Promise<void>[] = []
  for (let number = 0; number < seconds * NEWCOMERS_PER_SECOND; number += 1) {
    await sleep(1000 / NEWCOMERS_PER_SECOND)
    under.push(one(number))
  }
  await Promise.all(under)
  return { latencies, statuses }
}
