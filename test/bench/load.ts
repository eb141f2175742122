// Part one: logins, refreshes and logouts, as fast as the answers come.
import { loginBodies, logoutBodies, refreshBodies, rotateBodies } from './bodies.ts'
import { cpuBetween, readCpu } from './cpu.ts'
import { openGenerator, type Generator } from './generator.ts'
import type { Job, Outcome } from './generator-protocol.ts'
import { percentile } from './percentiles.ts'
import { targetOf, type Bench } from './bench.ts'

export interface LoadResult {
  request: string
  connections: number
  requests: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** Microseconds a request; `null` where this system does not tell. */
  cpu: { server: number; postgres: number | null; redis: number }
  non2xx: number
  clientBusy: number
}

const CONNECTIONS = [1, 16, 64]
const REFRESHING_SESSIONS = 1000
/** More than can be done in a second. */
const LOGOUTS_PER_SECOND = 3000
const ROTATIONS_PER_SECOND = 3000
const WARM_UP = { connections: 16, seconds: 1 }

type Request = Pick<Job, 'path' | 'bodies' | 'once'>

export async function measureLoad(bench: Bench): Promise<LoadResult[]> {
  const { environment, options, say } = bench
  const generator = await openGenerator(await targetOf(environment, Math.max(...CONNECTIONS)))
  const results: LoadResult[] = []
  try {
    for (const [name, prepare] of Object.entries(requestsOf(bench))) {
      await generator.run({ ...(await prepare(WARM_UP.seconds)), ...WARM_UP })
      for (const connections of CONNECTIONS) {
        say(`${name}, ${connections} at a time`)
        const job = { ...(await prepare(options.seconds)), connections, seconds: options.seconds }
        results.push(await measure(bench, { name, job, generator }))
      }
    }
  } finally {
    await generator.close()
  }
  return results
}

function requestsOf({ population }: Bench): Record<string, (seconds: number) => Promise<Request>> {
  const begin = population.beginSessions
  return {
    login: async () =>
      await Promise.resolve({ path: '/auth/login/', bodies: loginBodies(population.usernames) }),
    refresh: async () => ({
      path: '/auth/token/refresh/',
      bodies: refreshBodies(await begin(REFRESHING_SESSIONS)),
    }),
    'refresh, rotating': async (seconds) => ({
      path: '/api/v1/auth/refresh',
      bodies: rotateBodies(await begin(Math.ceil(seconds * ROTATIONS_PER_SECOND), { rotates: true })),
      once: true,
    }),
    logout: async (seconds) => ({
      path: '/auth/logout/',
      bodies: logoutBodies(await begin(Math.ceil(seconds * LOGOUTS_PER_SECOND))),
      once: true,
    }),
  }
}

async function measure(
  { environment }: Bench,
  { name, job, generator }: { name: string; job: Job; generator: Generator },
): Promise<LoadResult> {
  const before = await readCpu(environment)
  const outcome = await generator.run(job)
  const cpu = cpuBetween(before, await readCpu(environment))
  const requests = outcome.latencies.length
  return {
    request: name,
    connections: job.connections,
    requests,
    perSecond: requests / outcome.seconds,
    p50Ms: percentile(outcome.latencies, 50),
    p99Ms: percentile(outcome.latencies, 99),
    cpu: {
      server: cpu.server / requests,
      postgres: cpu.postgres === null ? null : cpu.postgres / requests,
      redis: cpu.redis / requests,
    },
    non2xx: countNon2xx(outcome),
    clientBusy: outcome.clientBusy,
  }
}

function countNon2xx({ statuses }: Outcome): number {
  const isGood = (status: string) => status.startsWith('2')
  return Object.entries(statuses).reduce((sum, [status, count]) => sum + (isGood(status) ? 0 : count), 0)
}
