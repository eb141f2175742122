// Part four: a day of load in small, with lifetimes of seconds: what is kept must level off.
import { setTimeout as sleep } from 'node:timers/promises'
import type { TestEnvironment } from '../support/service/environment.ts'
import { targetOf, type Bench } from './bench.ts'
import { loginBodies, logoutBodies } from './bodies.ts'
import { openGenerator, type Generator } from './generator.ts'

export interface DaySample {
  /** Since the first request. */
  seconds: number
  revocations: number
  sessions: number
  logs: number
  /** Of these three tables, indexes and dead rows included. */
  tableBytes: number
  redisKeys: number
  redisBytes: number
}

export interface DayResult {
  samples: DaySample[]
  /** By how much the mean of the last quarter exceeds that of the quarter before, as a share of it. */
  growth: Omit<DaySample, 'seconds'>
  /** How often each status was answered. */
  logins: Record<number, number>
  logouts: Record<number, number>
}

/** A session's row is removed a minute and the leeway after its end, an entry a minute after it was written. */
export const DAY_SETTINGS = {
  ACCESS_TOKEN_TTL: '5',
  REFRESH_TOKEN_TTL: '20',
  LEEWAY: '1',
  LOG_RETENTION: '60',
}

const LOGINS_PER_SECOND = 20
const SESSIONS_PER_SECOND = 200
/** Of these sessions; the others expire. */
const LOGOUTS_PER_SECOND = 100
const CONNECTIONS = 16
const SAMPLE_MS = 10_000

export async function measureDay(bench: Bench): Promise<DayResult> {
  const { environment, population, options, say } = bench
  say(`a day in small, ${options.daySeconds} seconds`)
  // Time runs faster here, so it does for the vacuum too, which is what gives room back.
  await environment.database.sql(`ALTER SYSTEM SET autovacuum_naptime = '10s'`)
  await environment.database.sql('SELECT pg_reload_conf()')
  const target = await targetOf(environment, CONNECTIONS)
  const [arriving, leaving] = await Promise.all([openGenerator(target), openGenerator(target)])
  const over = new AbortController()
  try {
    const sampling = sampleUntil(environment, over.signal)
    const [{ statuses: logins }, logouts] = await Promise.all([
      arriving.run({
        path: '/auth/login/',
        connections: CONNECTIONS,
        seconds: options.daySeconds,
        bodies: loginBodies(population.usernames),
        perSecond: LOGINS_PER_SECOND,
      }),
      logOutEvenly(bench, leaving),
    ])
    over.abort()
    const samples = await sampling
    return { samples, growth: growthOf(samples), logins, logouts }
  } finally {
    over.abort()
    await Promise.all([arriving.close(), leaving.close()])
  }
}

async function logOutEvenly(
  { population, options }: Bench,
  leaving: Generator,
): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  const start = performance.now()
  for (let second = 0; second < options.daySeconds; second++) {
    await sleep(Math.max(0, start + second * 1000 - performance.now()))
    const tokens = await population.beginSessions(SESSIONS_PER_SECOND)
    const { statuses } = await leaving.run({
      path: '/auth/logout/',
      connections: CONNECTIONS,
      seconds: 10,
      bodies: logoutBodies(tokens.slice(0, LOGOUTS_PER_SECOND)),
      once: true,
      perSecond: LOGOUTS_PER_SECOND,
    })
    for (const [status, count] of Object.entries(statuses))
      counts[Number(status)] = (counts[Number(status)] ?? 0) + count
  }
  return counts
}

async function sampleUntil(environment: TestEnvironment, signal: AbortSignal): Promise<DaySample[]> {
  const start = performance.now()
  const samples: DaySample[] = []
  while (!signal.aborted) {
    samples.push({ seconds: (performance.now() - start) / 1000, ...(await sample(environment)) })
    await sleep(SAMPLE_MS, undefined, { signal }).catch(() => undefined)
  }
  return samples
}

async function sample({ database, redis }: TestEnvironment): Promise<Omit<DaySample, 'seconds'>> {
  const [rows] = await database.sql<Pick<DaySample, 'revocations' | 'sessions' | 'logs' | 'tableBytes'>>(
    `SELECT (SELECT count(*) FROM revocations)::int AS revocations,
            (SELECT count(*) FROM user_sessions)::int AS sessions,
            (SELECT count(*) FROM logs)::int AS logs,
            (pg_total_relation_size('revocations') + pg_total_relation_size('user_sessions')
              + pg_total_relation_size('logs'))::float8 AS "tableBytes"`,
  )
  if (!rows) throw new Error('Postgres gave no counts')
  const usedMemory = /^used_memory:(\d+)/m.exec(await redis.client.info('memory'))?.[1]
  return { ...rows, redisKeys: await redis.client.dbsize(), redisBytes: Number(usedMemory) }
}

function growthOf(samples: DaySample[]): DayResult['growth'] {
  const quarter = Math.floor(samples.length / 4)
  const before = samples.slice(-2 * quarter, -quarter)
  const last = samples.slice(-quarter)
  const growth = (of: (sample: DaySample) => number): number => mean(last.map(of)) / mean(before.map(of)) - 1
  return {
    revocations: growth(({ revocations }) => revocations),
    sessions: growth(({ sessions }) => sessions),
    logs: growth(({ logs }) => logs),
    tableBytes: growth(({ tableBytes }) => tableBytes),
    redisKeys: growth(({ redisKeys }) => redisKeys),
    redisBytes: growth(({ redisBytes }) => redisBytes),
  }
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
