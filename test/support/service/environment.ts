// A service with stores and users of its own: what most end-to-end suites begin with.
import { addUser, PASSWORD } from './add-user.ts'
import { testDatabase, type TestDatabase } from '../servers/postgres.ts'
import { testRedis, type TestRedis } from '../servers/redis.ts'
import { startSignoff, type Answer, type Signoff } from './signoff.ts'
import { askedAgain } from './until-answered.ts'

export interface TestEnvironment {
  /** Asked again for as long as it answers 503: that it is slow is not what a test is about. */
  signoff: Signoff
  /** The same, for tests of just that. */
  firstAnswers: Signoff
  database: TestDatabase
  redis: TestRedis
  addUser(username: string, password?: string): Promise<void>
  /** Logs in and fails the test when that fails. */
  login(username?: string): Promise<Pair>
  stop(): Promise<void>
}

export interface Pair {
  access: string
  refresh: string
}

export { PASSWORD }

/** Serves with one user, `alice`, in sync with its Redis. */
export async function testEnvironment(env: Record<string, string> = {}): Promise<TestEnvironment> {
  const [database, redis] = await Promise.all([testDatabase(), testRedis()])
  const firstAnswers = await startSignoff({ databaseUrl: database.url, redisUrl: redis.url, env }).catch(
    async (error: unknown) => {
      await Promise.all([redis.remove(), database.drop()])
      throw error
    },
  )

  await addUser(database, 'alice')
  await untilReady(firstAnswers)
  const signoff = askedAgain(firstAnswers)

  return {
    signoff,
    firstAnswers,
    database,
    redis,
    addUser: async (username, password) => {
      await addUser(database, username, password)
    },
    login: async (username) => await loggedInAt(signoff, username),
    stop: async () => {
      await signoff.stop()
      await Promise.all([redis.remove(), database.drop()])
    },
  }
}

/** Logs in by the token API, and asks again as long as that is answered 503. Rejects when it fails. */
export async function loggedInAt(signoff: Signoff, username = 'alice'): Promise<Pair> {
  const answer = await askedAgain(signoff).post('/auth/login/', { username, password: PASSWORD })
  if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${answer.text}`)
  return answer.json as Pair
}

/** Resolves when `/readyz` says so. */
export async function untilReady(signoff: Signoff): Promise<void> {
  await eventually(async () => (await signoff.call('/readyz', { method: 'GET' })).status === 200)
}

/** Less than a test may take altogether, so that it fails with what it waited for. */
export const PATIENCE_MS = 60_000
/** Several files wait at a time, and each question keeps a service busy for a millisecond or two. */
const ASK_EVERY_MS = 50

/** Asks until the answer is yes. Fails after a minute: how fast a machine is decides nothing. */
export async function eventually(
  question: () => Promise<boolean> | boolean,
  timeoutMs = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await question())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${String(question)}`)
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}

/** What stands in a token, unverified. */
export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
}

/** The part of an answer that the contract states. */
export function statusAndBody({ status, json }: Answer): { status: number; body: unknown } {
  return { status, body: json }
}
