// The users and sessions that the load needs, made in bulk: by SQL, and with the service's own keys.
import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { readConfig, type Config } from '../../src/config.ts'
import runArgon2 from '../../src/passwords/argon2-worker.ts'
import { accessKeys, loadKeys } from '../../src/tokens/load-keys.ts'
import { jwtTokens } from '../../src/tokens/jwt-tokens.ts'
import type { Tokens } from '../../src/auth/ports/tokens.ts'
import { PASSWORD, type TestEnvironment } from '../support/environment.ts'

/** A login holds its user's row until it is durable, so that one user alone would be a queue. */
const USERS = 64

export const INACTIVE_USER = 'retired'

export interface Population {
  usernames: string[]
  /** Refresh tokens of as many new sessions, spread over the users. */
  beginSessions: (count: number, options?: { rotates: boolean }) => Promise<string[]>
}

/** `settings` are those of the service that go beyond the defaults. */
export async function populate(
  { database, signoff }: TestEnvironment,
  settings: Record<string, string> = {},
): Promise<Population> {
  const users = Array.from({ length: USERS }, (_, index) => ({ id: uuidv7(), username: `user-${index}` }))
  await database.sql(
    `INSERT INTO users (id, username, username_key, password_hash, role, is_active)
     SELECT id, name, name, $3, 'user', name <> $4 FROM unnest($1::uuid[], $2::text[]) AS given (id, name)`,
    [
      [...users.map(({ id }) => id), uuidv7()],
      [...users.map(({ username }) => username), INACTIVE_USER],
      runArgon2({ password: PASSWORD }),
      INACTIVE_USER,
    ],
  )
  const tokens = await serverTokens(signoff.files, readConfig(settings))

  return {
    usernames: users.map(({ username }) => username),
    beginSessions: async (count, { rotates } = { rotates: false }) => {
      const sessions = Array.from({ length: count }, (_, index) =>
        newSession(tokens, { userId: users[index % USERS]?.id ?? '', rotates }),
      )
      await database.sql(INSERT_SESSIONS, [
        sessions.map(({ id }) => id),
        sessions.map(({ userId }) => userId),
        sessions.map(({ jti }) => createHash('sha256').update(jti).digest()),
        sessions.map(({ exp }) => exp),
      ])
      return sessions.map(({ token }) => token)
    },
  }
}

const INSERT_SESSIONS = `
  INSERT INTO user_sessions (id, user_id, refresh_jti_hash, expires_at, ip_address)
  SELECT id, user_id, jti_hash, to_timestamp(exp), '127.0.0.1'
  FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::float8[]) AS given (id, user_id, jti_hash, exp)`

function newSession(tokens: Tokens, { userId, rotates }: { userId: string; rotates: boolean }) {
  const id = uuidv7()
  return { id, userId, ...tokens.signRefresh({ sid: id, userId, scope: 'user' }, rotates) }
}

async function serverTokens(files: TestEnvironment['signoff']['files'], config: Config): Promise<Tokens> {
  const loaded = await loadKeys({ ...files, issuer: config.ISSUER })
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'))
  return jwtTokens({
    accessSigners: accessKeys(loaded.keys.signing, null).signers,
    refreshSigner: loaded.keys.refresh,
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    accessTtlSeconds: config.ACCESS_TOKEN_TTL,
    refreshTtlSeconds: config.REFRESH_TOKEN_TTL,
    leewaySeconds: config.LEEWAY,
    now: () => Math.floor(Date.now() / 1000),
  })
}
