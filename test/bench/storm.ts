// Part two: how long a refresh takes while everybody logs in at once.
import { setTimeout as sleep } from 'node:timers/promises'
import { targetOf, type Bench } from './bench.ts'
import { loginBodies, refreshBodies } from './bodies.ts'
import { openGenerator, type Generator } from './generator.ts'
import { percentile } from './percentiles.ts'
import { refreshTimes, type RefreshTimes } from './refresh-times.ts'

export interface StormResult {
  storm: string
  /** Refreshes at rest, just before the storm. */
  rest: RefreshTimes
  during: RefreshTimes
  p99DifferenceMs: number
  logins: { perSecond: number; p50Ms: number; p99Ms: number; statuses: Record<number, number> }
}

const LOGINS_IN_FLIGHT = 200
const REFRESHES = { path: '/auth/token/refresh/', connections: 8, perSecond: 200 }
/** Until every login of the storm waits for a hash. */
const GATHERING_MS = 1500

interface Actors {
  /** Logs in; a process beside that of the refreshes, which it must not delay. */
  crowd: Generator
  /** Refreshes. */
  probe: Generator
}

export async function measureStorm(bench: Bench): Promise<StormResult[]> {
  const { environment, population } = bench
  const crowd = await openGenerator(await targetOf(environment, LOGINS_IN_FLIGHT))
  const probe = await openGenerator(await targetOf(environment, REFRESHES.connections))
  const results: StormResult[] = []
  try {
    const bodies = refreshBodies(await population.beginSessions(1000))
    await probe.run({ ...REFRESHES, bodies, seconds: 1 })
    for (const [storm, password] of Object.entries({
      'right passwords': undefined,
      'wrong passwords': 'wrong',
    })) {
      const logins = loginBodies(population.usernames, password)
      results.push({ storm, ...(await measure(bench, { crowd, probe }, { logins, bodies, storm })) })
    }
  } finally {
    await Promise.all([crowd.close(), probe.close()])
  }
  return results
}

async function measure(
  { options, say }: Bench,
  { crowd, probe }: Actors,
  { logins, bodies, storm }: { logins: string[]; bodies: string[]; storm: string },
): Promise<Omit<StormResult, 'storm'>> {
  const refreshes = { ...REFRESHES, bodies, seconds: options.seconds }
  say('refreshes at rest')
  const rest = refreshTimes(await probe.run(refreshes))

  say(`refreshes while ${LOGINS_IN_FLIGHT} log in with ${storm}`)
  const logging = crowd.run({
    path: '/auth/login/',
    connections: LOGINS_IN_FLIGHT,
    seconds: options.seconds * 2 + 60,
    bodies: logins,
  })
  await sleep(GATHERING_MS)
  const during = refreshTimes(await probe.run(refreshes))
  crowd.finish()
  const crowded = await logging

  return {
    rest,
    during,
    p99DifferenceMs: during.p99Ms - rest.p99Ms,
    logins: {
      perSecond: crowded.latencies.length / crowded.seconds,
      p50Ms: percentile(crowded.latencies, 50),
      p99Ms: percentile(crowded.latencies, 99),
      statuses: crowded.statuses,
    },
  }
}
