// Users and sessions made in bulk: by SQL, and with the service's own keys, which spares the password of each.
import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Tokens } from '../../../src/auth/ports/tokens.ts'
import { readConfig, type Config } from '../../../src/config.ts'
import runArgon2 from '../../../src/passwords/argon2-worker.ts'
import { fixedSigners } from '../../../src/tokens/access-keys.ts'
import { es256 } from '../../../src/tokens/jws.ts'
import { jwtTokens } from '../../../src/tokens/jwt-tokens.ts'
import { loadKeys } from '../../../src/tokens/load-keys.ts'
import { PASSWORD } from './environment.ts'
import type { TestDatabase } from '../servers/postgres.ts'
import type { KeyMaterial } from './signoff.ts'

export interface BulkSession {
  id: string
  /** Its refresh token. */
  token: string
  userId: string
}

export interface BulkSessionsOptions {
  /** Whose sessions, in turn. */
  userIds: readonly string[]
  count: number
  /** Whether the tokens have a generation, as those of `/api/v1` do. */
  rotates?: boolean
  /** The last two hex digits of each id: the partition of the denylist. */
  partition?: string
}

export interface SessionsInBulk {
  /** Resolves to their ids; the password of each is `PASSWORD`. */
  addUsers(usernames: readonly string[]): Promise<string[]>
  begin(options: BulkSessionsOptions): Promise<BulkSession[]>
  /** An access token of the session, another one each time. */
  accessTo(session: BulkSession): string
}

export interface SessionsInBulkDeps {
  database: Pick<TestDatabase, 'sql'>
  /** Of the service. */
  files: KeyMaterial
  /** Those of its settings that go beyond the defaults. */
  settings?: Record<string, string>
}

const ADD_USERS = `
  INSERT INTO users (id, username, username_key, password_hash, role)
  SELECT id, name, name, $3, 'user' FROM unnest($1::uuid[], $2::text[]) AS given (id, name)`

const INSERT_SESSIONS = `
  INSERT INTO user_sessions (id, user_id, refresh_jti_hash, expires_at, ip_address)
  SELECT id, user_id, jti_hash, to_timestamp(exp), '127.0.0.1'
  FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::float8[]) AS given (id, user_id, jti_hash, exp)`

export async function sessionsInBulk(deps: SessionsInBulkDeps): Promise<SessionsInBulk> {
  const { database, files, settings = {} } = deps
  const tokens = await serviceTokens(files, readConfig(settings))

  return {
    addUsers: async (usernames) => {
      const ids = usernames.map(() => uuidv7())
      await database.sql(ADD_USERS, [ids, usernames, runArgon2({ password: PASSWORD })])
      return ids
    },

    begin: async ({ userIds, count, rotates = false, partition }) => {
      const sessions = Array.from({ length: count }, (_, index) => {
        const id = partition === undefined ? uuidv7() : uuidv7().slice(0, -2) + partition
        const userId = userIds[index % userIds.length] ?? ''
        return { id, userId, ...tokens.signRefresh({ sid: id, userId, scope: 'user' }, rotates) }
      })
      await database.sql(INSERT_SESSIONS, [
        sessions.map(({ id }) => id),
        sessions.map(({ userId }) => userId),
        sessions.map(({ jti }) => createHash('sha256').update(jti).digest()),
        sessions.map(({ exp }) => exp),
      ])
      return sessions.map(({ id, token, userId }) => ({ id, token, userId }))
    },

    accessTo: ({ id, userId }) => tokens.signAccess({ sid: id, userId, scope: 'user' }, Infinity).token,
  }
}

async function serviceTokens(files: KeyMaterial, config: Config): Promise<Tokens> {
  const loaded = await loadKeys({ ...files, issuer: config.ISSUER })
  if ('problems' in loaded) throw new Error(loaded.problems.join('\n'))
  const [first] = loaded.keys.signing
  return jwtTokens({
    accessSigners: fixedSigners([{ kid: first.kid, signer: es256(first) }]),
    refreshSigner: loaded.keys.refresh,
    accessSeal: loaded.keys.accessSeal,
    issuer: config.ISSUER,
    audience: config.AUDIENCE,
    accessTtlSeconds: config.ACCESS_TOKEN_TTL,
    refreshTtlSeconds: config.REFRESH_TOKEN_TTL,
    leewaySeconds: config.LEEWAY,
    now: () => Math.floor(Date.now() / 1000),
  })
}
