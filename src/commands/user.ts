// signoff user add|list|disable|enable|set-password|set-role|set-claims
import { hostname } from 'node:os'
import { text } from 'node:stream/consumers'
import { v4 as uuidv4 } from 'uuid'
import { addUser, disableUser, enableUser, setClaims, setPassword, setRole } from '../auth/users.ts'
import type { UsersDeps } from '../auth/users.ts'
import { every, systemClock } from '../clock.ts'
import { denialLeewaySeconds, type Config } from '../config.ts'
import type { Denial } from '../auth/ports/denials.ts'
import type { SystemLog } from '../ops/log.ts'
import { argon2Passwords } from '../passwords/argon2-passwords.ts'
import { isCommonPassword } from '../passwords/common-passwords.ts'
import { connectedRedis } from '../store/redis/connection/connected-redis.ts'
import { instances } from '../store/postgres/instances.ts'
import { logEntries } from '../store/postgres/log-entries.ts'
import { postgresSessions } from '../store/postgres/postgres-sessions.ts'
import { postgresUserAdmin } from '../store/postgres/postgres-user-admin.ts'
import { journalReader } from '../store/postgres/journal-reader.ts'
import { postgres, type Postgres } from '../store/postgres/postgres.ts'
import { journalNameOf } from '../store/redis/proof.ts'
import { writeDenials } from '../store/redis/redis-denylist.ts'
import { introduce } from '../store/vouching/introduce.ts'
import { databaseUrlOf, redisUrlBeside } from './database.ts'
import { describeError } from './describe-error.ts'
import { print, type Output } from './output.ts'
import { progressLine } from './progress-line.ts'
import { readPassword } from './read-password.ts'
import { stderrLog } from './stderr-log.ts'

export async function userAdd(
  config: Config,
  user: { username: string; role: string },
  output: Output,
): Promise<void> {
  const password = await readPassword(`Password for ${user.username}: `)
  await withUsers(await storesOf(config), async (deps) => {
    const id = await addUser(deps, { ...user, password })
    print(output, `added ${user.username}`, { id, username: user.username, role: user.role })
  })
}

export async function userList(config: Config, output: Output): Promise<void> {
  await withUsers(await storesOf(config), async ({ userAdmin }) => {
    const users = await userAdmin.list()
    const lines = users.map(({ username, role, isActive, lastLoginAt }) =>
      [
        username,
        role,
        isActive ? 'active' : 'disabled',
        lastLoginAt?.toISOString() ?? 'never logged in',
      ].join('\t'),
    )
    print(output, lines.length > 0 ? lines : 'no users', users)
  })
}

export async function userDisable(config: Config, username: string, output: Output): Promise<void> {
  await withUsers(await storesOf(config), async (deps) => {
    const sessionsEnded = await disableUser(deps, username)
    print(output, `disabled ${username}, sessions ended: ${sessionsEnded}`, { username, sessionsEnded })
  })
}

export async function userEnable(config: Config, username: string, output: Output): Promise<void> {
  await withUsers(await storesOf(config), async (deps) => {
    await enableUser(deps, username)
    print(output, `enabled ${username}`, { username })
  })
}

export async function userSetPassword(config: Config, username: string, output: Output): Promise<void> {
  const password = await readPassword(`New password for ${username}: `)
  await withUsers(await storesOf(config), async (deps) => {
    const sessionsEnded = await setPassword(deps, { username, password })
    print(output, `changed the password of ${username}, sessions ended: ${sessionsEnded}`, {
      username,
      sessionsEnded,
    })
  })
}

export async function userSetRole(
  config: Config,
  change: { username: string; role: string },
  output: Output,
): Promise<void> {
  await withUsers(await storesOf(config), async (deps) => {
    const sessionsEnded = await setRole(deps, change)
    const { username, role } = change
    print(output, `${username} is ${role} now, sessions ended: ${sessionsEnded}`, {
      ...change,
      sessionsEnded,
    })
  })
}

/** `json` is `-` where it stands on standard input. */
export async function userSetClaims(
  config: Config,
  { username, json }: { username: string; json: string },
  output: Output,
): Promise<void> {
  const given = json === '-' ? await text(process.stdin) : json
  await withUsers(await storesOf(config), async (deps) => {
    const claims = await setClaims(deps, { username, json: given })
    print(output, `the next tokens of ${username} say: ${JSON.stringify(claims)}`, { username, claims })
  })
}

export interface UserStores {
  databaseUrl: string
  /** `null`: what ends is left to the relay. */
  redisUrl: string | null
  redisPrefix: string
  leewaySeconds: number
  /** The setting: announcements name the journal by it. */
  issuer: string
  roles: readonly string[]
}

async function storesOf(config: Config): Promise<UserStores> {
  const databaseUrl = await databaseUrlOf(config)
  const redisUrl = await redisUrlBeside(config, databaseUrl)
  return {
    databaseUrl,
    redisUrl,
    redisPrefix: config.REDIS_PREFIX,
    leewaySeconds: denialLeewaySeconds(config),
    issuer: config.ISSUER,
    roles: config.ROLES,
  }
}

/** Nobody waits behind a command: what it was told to do is done, however long that takes. */
const COMMAND_TIMES = { timeoutMs: 600_000, connectTimeoutMs: 10_000 }

/** An instance is listed as present for ten seconds after it was heard of. */
const PRESENT_EVERY_MS = 2000

export async function withUsers<T>(
  { databaseUrl, redisUrl, redisPrefix, leewaySeconds, issuer, roles }: UserStores,
  work: (deps: UsersDeps) => Promise<T>,
): Promise<T> {
  const log = stderrLog()
  const database = postgres({ url: databaseUrl, log, ...COMMAND_TIMES })
  const entries = logEntries({
    postgres: database,
    log,
    onFailure: () => undefined,
    onEvent: () => undefined,
  })
  const passwords = argon2Passwords(log)
  const storeDeps = { postgres: database, logEntries: entries, leewaySeconds }
  const admin = postgresUserAdmin(storeDeps)
  const instanceId = uuidv4()
  const self = instances(database, {
    id: instanceId,
    name: `${hostname()}:${process.pid}`,
    isCommand: true,
  })
  const presence = { isBegun: false, untold: 0, stop: (): void => undefined }
  const beforeSessionsEnd = async (): Promise<void> => {
    // As long as it ends sessions, however long that takes: one that is not heard of is not waited for.
    presence.isBegun = true
    presence.stop = every(systemClock, PRESENT_EVERY_MS, () => void self.present().catch(() => undefined))
    if (await introduce({ clock: systemClock, instanceId, instances: self })) return
    log.warn('an instance has not heard of this command: without Postgres it may vouch for what is ended now')
  }
  const progress = progressLine((count) => `sessions ended so far: ${count}`)
  try {
    const result = await work({
      roles,
      sessions: postgresSessions(storeDeps),
      userAdmin: {
        ...admin,
        disable: async (username, entry) => {
          await beforeSessionsEnd()
          return await admin.disable(username, entry)
        },
        setPassword: async (change, entry) => {
          await beforeSessionsEnd()
          return await admin.setPassword(change, entry)
        },
        setRole: async (change, entry) => {
          await beforeSessionsEnd()
          return await admin.setRole(change, entry)
        },
      },
      passwords,
      isCommonPassword,
      denylist: {
        tell: async (denials) => {
          progress.add(denials.length)
          const journalName = async (): Promise<string> => await journalNameIn(database, issuer)
          const isTold = await tellRedis({ redisUrl, redisPrefix, journalName, log }, denials)
          if (!isTold) presence.untold += 1
        },
      },
    })
    presence.stop()
    // After all of it: otherwise its word is waited for, in vain, until a round has brought what is missing.
    if (presence.isBegun && presence.untold === 0) await self.leave().catch(() => undefined)
    return result
  } finally {
    presence.stop()
    await Promise.all([database.close(), passwords.close()])
  }
}

interface TellRedisDeps extends Pick<UserStores, 'redisUrl' | 'redisPrefix'> {
  journalName: () => Promise<string>
  log: SystemLog
}

async function journalNameIn(database: Postgres, issuer: string): Promise<string> {
  return journalNameOf((await journalReader(database).clock()).databaseId, issuer)
}

/**
 * Resolves to whether Redis has them. Never rejects: the journal has them, and every running service carries them over
 * within a second.
 */
async function tellRedis(
  { redisUrl, redisPrefix, journalName, log }: TellRedisDeps,
  denials: Denial[],
): Promise<boolean> {
  if (denials.length === 0) return true
  try {
    if (redisUrl === null) throw new Error('REDIS_URL is not set')
    const connection = await connectedRedis(redisUrl, redisPrefix)
    try {
      await writeDenials({ commands: connection.commands, journalName: await journalName() }, denials)
      return true
    } finally {
      connection.close()
    }
  } catch (error) {
    log.warn(
      `Redis was not told (${describeError(error)}): a service does that within a second of reading Postgres`,
    )
    return false
  }
}
