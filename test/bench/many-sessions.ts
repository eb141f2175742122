// A user with very many sessions: how long everything takes that ends them all, and what others notice of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'undici'
import type { TestEnvironment } from '../support/service/environment.ts'
import { PASSWORD } from '../support/service/environment.ts'
import { runSignoff, type Answer } from '../support/service/signoff.ts'
import { targetOf, type Bench } from './bench.ts'
import { percentile } from './percentiles.ts'
import { table } from './table.ts'

export interface ManySessionsResult {
  sessions: number
  works: WorkResult[]
}

interface WorkResult {
  work: string
  /** The status of its answer; of a command, that of its exit. */
  status: number
  seconds: number
  /** Sessions of the user that are still on. */
  left: number
  /** Of `/healthz`, asked by somebody else all the while. */
  health: { p50Ms: number; p99Ms: number; maxMs: number }
}

/** Also on a machine where something else is at work. */
const PATIENCE_MS = 600_000
const ASK_EVERY_MS = 5
const NEW_PASSWORD = 'incorrect zebra capacitor pin'

export async function measureManySessions(bench: Bench): Promise<ManySessionsResult> {
  const { environment, options, say } = bench
  const works: WorkResult[] = []
  for (const [index, [work, run]] of Object.entries(WORKS).entries()) {
    say(`${work}, of a user with ${options.userSessions} sessions`)
    const username = `busy-${index}`
    const access = await userWith(environment, { username, sessions: options.userSessions })
    works.push({
      work,
      ...(await measured(environment, username, async () => await run({ environment, username, access }))),
    })
  }
  return { sessions: options.userSessions, works }
}

interface Run {
  environment: TestEnvironment
  username: string
  access: string
}

/** What ends nothing comes first, as the others are compared with it. */
const WORKS: Record<string, (run: Run) => Promise<number>> = {
  nothing: async () => {
    await sleep(1000)
    return 0
  },
  'a page of sessions': async (run) => await asked(run, 'GET', '/api/v1/auth/sessions?limit=100'),
  'all devices': async (run) => await asked(run, 'POST', '/api/v1/auth/logout', { scope: 'all' }),
  'user disable': async ({ environment: { database, redis }, username }) => {
    const env = { DATABASE_URL: database.url, REDIS_URL: redis.url }
    return (await runSignoff(['user', 'disable', username], { env })).status ?? -1
  },
  'change of password': async (run) =>
    await asked(run, 'PUT', '/api/v1/auth/password', {
      current_password: PASSWORD,
      new_password: NEW_PASSWORD,
    }),
  deletion: async (run) => await asked(run, 'DELETE', '/api/v1/auth/me', { password: PASSWORD }),
}

async function asked(
  { environment, access }: Run,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  ...[path, json]: [path: string, json?: object]
): Promise<number> {
  const { origin, certificate } = await targetOf(environment, 1)
  const times = { headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS }
  const client = new Client(origin, { connect: { ca: certificate }, ...times })
  try {
    const headers = { Authorization: `Bearer ${access}`, ...(json && { 'Content-Type': 'application/json' }) }
    const body = json ? JSON.stringify(json) : null
    const answer = await client.request({ path, method, headers, body })
    await answer.body.dump()
    return answer.statusCode
  } finally {
    await client.close()
  }
}

/** Resolves to the access token of one of the sessions; the others began before it. */
async function userWith(
  environment: TestEnvironment,
  { username, sessions }: { username: string; sessions: number },
): Promise<string> {
  const { signoff, database } = environment
  await environment.addUser(username)
  const login: Answer = await signoff.post('/api/v1/auth/login', { username, password: PASSWORD })
  await database.sql(
    `INSERT INTO user_sessions (id, user_id, refresh_jti_hash, expires_at, ip_address, user_agent)
     SELECT overlay(gen_random_uuid()::text PLACING '018f0000-0000-7' FROM 1 FOR 15)::uuid, id, '\\x00',
            now() + interval '1 day', '::1', 'script/' || n % 50
     FROM users, generate_series(2, $2::int) AS n WHERE username = $1`,
    [username, sessions],
  )
  // As autovacuum would have.
  await database.sql('ANALYZE user_sessions')
  return (login.json as { access_token: string }).access_token
}

async function measured(
  environment: TestEnvironment,
  username: string,
  work: () => Promise<number>,
): Promise<Omit<WorkResult, 'work'>> {
  const health = askForHealth(environment)
  const start = performance.now()
  const status = await work()
  const seconds = (performance.now() - start) / 1000
  const times = await health.stop()
  const [row] = await environment.database.sql<{ left: number }>(
    `SELECT count(*)::int AS left FROM user_sessions JOIN users ON users.id = user_id
     WHERE username = $1 AND ended_at IS NULL`,
    [username],
  )
  return { status, seconds, left: row?.left ?? 0, health: times }
}

/** One question after the other, from this process, which does nothing else. */
function askForHealth({ signoff }: TestEnvironment): { stop: () => Promise<WorkResult['health']> } {
  let isOver = false
  const ask = async (): Promise<number[]> => {
    const times: number[] = []
    while (!isOver) {
      const start = performance.now()
      await signoff.call('/healthz', { method: 'GET' })
      times.push(performance.now() - start)
      await sleep(ASK_EVERY_MS)
    }
    return times.sort((a, b) => a - b)
  }
  const asking = ask()
  return {
    stop: async () => {
      isOver = true
      const times = await asking
      return { p50Ms: percentile(times, 50), p99Ms: percentile(times, 99), maxMs: times.at(-1) ?? 0 }
    },
  }
}

export function manySessionsTable({ sessions, works }: ManySessionsResult): string {
  return table(
    `A user with ${sessions} sessions, and /healthz meanwhile (ms)`,
    ['', 'status', 'seconds', 'sessions left', 'p50', 'p99', 'worst'],
    works.map(({ work, status, seconds, left, health }) => [
      work,
      String(status),
      seconds.toFixed(2),
      String(left),
      ...[health.p50Ms, health.p99Ms, health.maxMs].map((ms) => ms.toFixed(1)),
    ]),
  )
}
