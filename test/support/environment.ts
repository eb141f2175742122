// A service with stores and users of its own: what most end-to-end suites begin with.
import { v7 as uuidv7 } from 'uuid'
import { usernameKey } from '../../src/auth/username-key.ts'
import runArgon2 from '../../src/passwords/argon2-worker.ts'
import { testDatabase, type TestDatabase } from './postgres.ts'
import { testRedis, type TestRedis } from './redis.ts'
import { startSignoff, type Answer, type Signoff } from './signoff.ts'

export interface TestEnvironment {
  signoff: Signoff
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

export const PASSWORD = 'correct horse battery staple'

/** Serves with one user, `alice`, in sync with its Redis. */
export async function testEnvironment(env: Record<string, string> = {}): Promise<TestEnvironment> {
  const [database, redis] = await Promise.all([testDatabase(), testRedis()])
  const signoff = await startSignoff({ databaseUrl: database.url, redisUrl: redis.url, env }).catch(
    async (error: unknown) => {
      await Promise.all([redis.remove(), database.drop()])
      throw error
    },
  )

  const addUser = async (username: string, password = PASSWORD): Promise<void> => {
    const id = uuidv7()
    await database.sql(
      `INSERT INTO users (id, username, username_key, password_hash, role) VALUES ($1, $2, $3, $4, 'user')`,
      [id, username, usernameKey(username), runArgon2({ password })],
    )
    await database.sql(
      `INSERT INTO logs (id, event_type, ip_address, user_id) VALUES ($1, 'USER_ADDED', 'local', $2)`,
      [uuidv7(), id],
    )
  }
  await addUser('alice')
  await untilReady(signoff)

  return {
    signoff,
    database,
    redis,
    addUser,
    login: async (username = 'alice') => {
      const answer = await signoff.post('/auth/login/', { username, password: PASSWORD })
      if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${answer.text}`)
      return answer.json as Pair
    },
    stop: async () => {
      await signoff.stop()
      await Promise.all([redis.remove(), database.drop()])
    },
  }
}

/** Resolves when `/readyz` says so, and fails after ten seconds. */
export async function untilReady(signoff: Signoff): Promise<void> {
  await eventually(async () => (await signoff.call('/readyz', { method: 'GET' })).status === 200)
}

/** Asks until the answer is yes; fails after `timeoutMs`. */
export async function eventually(question: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await question())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 20))
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
