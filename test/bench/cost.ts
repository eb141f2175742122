// What requests cost, in units of an echo of JSON that is measured beside them: machines differ, this ratio hardly.
import { peerCredentials } from '../support/service/peer-credentials.ts'
import { targetOf, type Bench } from './bench.ts'
import { logoutBodies, refreshBodies, rotateBodies } from './bodies.ts'
import { cpuBetween, readCpu } from './cpu.ts'
import { openEcho, type Echo } from './echo.ts'
import { openGenerator, type Generator } from './generator.ts'
import type { Job, Outcome } from './generator-protocol.ts'

export interface CostResult {
  request: string
  perSecond: number
  /** Microseconds a request: the middle one of the rounds. */
  server: number
  /** Of the service alone, and together with its stores; `null` for the echo itself. */
  echoes: { server: number; withStores: number } | null
  non2xx: number
}

const CONNECTIONS = 16
const ROUNDS = 5
const ROUND_SECONDS = 1
/** More than can be done in a second. */
const MOST_PER_SECOND = 8000
const KNOWN = 1000

type Request = Pick<Job, 'path' | 'bodies' | 'bearers' | 'headers' | 'once'>

interface Round {
  server: number
  withStores: number
  requests: number
  seconds: number
  non2xx: number
}

/** Round after round, each kind of request after the echo, so that they share what else the machine does. */
export async function measureCost(bench: Bench): Promise<CostResult[]> {
  const { environment, say } = bench
  const echo = await openEcho(environment.signoff.files)
  const target = await targetOf(environment, CONNECTIONS)
  const toEcho = await openGenerator({ ...target, origin: echo.origin })
  const toService = await openGenerator(target)
  try {
    const requests = await requestsOf(bench)
    const rounds = new Map<string, Round[]>()
    // The first round warms up.
    for (let number = 0; number <= ROUNDS; number += 1) {
      say(number === 0 ? 'warming up' : `round ${number} of ${ROUNDS}`)
      for (const [name, prepare] of [['echo', null] as const, ...Object.entries(requests)]) {
        const round = prepare
          ? await serviceRound(bench, toService, await prepare())
          : await echoRound(echo, toEcho)
        if (number > 0) rounds.set(name, [...(rounds.get(name) ?? []), round])
      }
    }
    return resultsOf(rounds)
  } finally {
    await Promise.all([toEcho.close(), toService.close(), echo.close()])
  }
}

async function requestsOf({
  environment,
  population,
}: Bench): Promise<Record<string, () => Promise<Request>>> {
  const begin = population.beginSessions
  const known = await population.accessTokens(KNOWN)
  const refreshes = refreshBodies(await begin(KNOWN))
  const peer = await peerCredentials(environment, 'bench')
  const basic = Buffer.from(`${peer.clientId}:${peer.clientSecret}`).toString('base64')
  const asForm = { Authorization: `Basic ${basic}`, 'Content-Type': 'application/x-www-form-urlencoded' }
  const once = MOST_PER_SECOND * ROUND_SECONDS
  return {
    refresh: async () => await Promise.resolve({ path: '/auth/token/refresh/', bodies: refreshes }),
    'check, a known token': async () =>
      await Promise.resolve({ path: '/auth/check', bodies: [''], bearers: known }),
    'check, a new token': async () => ({
      path: '/auth/check',
      bodies: Array.from({ length: once }, () => ''),
      bearers: await population.accessTokens(once),
      once: true,
    }),
    'introspection, a known token': async () =>
      await Promise.resolve({
        path: '/oauth/introspect',
        bodies: known.map((token) => `token=${token}`),
        headers: asForm,
      }),
    'refresh, rotating': async () => ({
      path: '/api/v1/auth/refresh',
      bodies: rotateBodies(await begin(once, { rotates: true })),
      once: true,
    }),
    logout: async () => ({ path: '/auth/logout/', bodies: logoutBodies(await begin(once)), once: true }),
  }
}

async function echoRound(echo: Echo, generator: Generator): Promise<Round> {
  const before = await echo.cpu()
  const body = JSON.stringify({ refresh: 'a'.repeat(500) })
  const job = { path: '/echo', bodies: [body], connections: CONNECTIONS, seconds: ROUND_SECONDS }
  const outcome = await generator.run(job)
  const cpu = (await echo.cpu()) - before
  return roundOf(outcome, { server: cpu, withStores: cpu })
}

async function serviceRound({ environment }: Bench, generator: Generator, request: Request): Promise<Round> {
  const before = await readCpu(environment)
  const outcome = await generator.run({ ...request, connections: CONNECTIONS, seconds: ROUND_SECONDS })
  const { server, postgres, redis } = cpuBetween(before, await readCpu(environment))
  return roundOf(outcome, { server, withStores: server + (postgres ?? 0) + redis })
}

function roundOf(
  { latencies, seconds, statuses }: Outcome,
  cpu: { server: number; withStores: number },
): Round {
  const requests = latencies.length
  const good = Object.entries(statuses).reduce(
    (sum, [status, count]) => sum + (status.startsWith('2') ? count : 0),
    0,
  )
  const each = { server: cpu.server / requests, withStores: cpu.withStores / requests }
  return { ...each, requests, seconds, non2xx: requests - good }
}

/** Each round in units of the echo right before it; of these the middle one. */
function resultsOf(rounds: ReadonlyMap<string, Round[]>): CostResult[] {
  const echoes = rounds.get('echo') ?? []
  return [...rounds].map(([request, of]) => ({
    request,
    perSecond: sum(of.map(({ requests }) => requests)) / sum(of.map(({ seconds }) => seconds)),
    server: median(of.map(({ server }) => server)),
    echoes:
      request === 'echo'
        ? null
        : {
            server: median(of.map(({ server }, index) => server / (echoes[index]?.server ?? NaN))),
            withStores: median(
              of.map(({ withStores }, index) => withStores / (echoes[index]?.server ?? NaN)),
            ),
          },
    non2xx: sum(of.map(({ non2xx }) => non2xx)),
  }))
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
