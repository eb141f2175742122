// signoff user add|list|disable|enable|set-password
import { addUser, disableUser, enableUser, setPassword } from '../auth/users.ts'
import type { UsersDeps } from '../auth/users.ts'
import type { Config } from '../config.ts'
import type { SystemLog } from '../ops/log.ts'
import { argon2Passwords } from '../passwords/argon2-passwords.ts'
import { isCommonPassword } from '../passwords/common-passwords.ts'
import { logEntries } from '../store/log-entries.ts'
import { postgresUserAdmin } from '../store/postgres-user-admin.ts'
import { postgres } from '../store/postgres.ts'
import { databaseUrlOf } from './database.ts'
import { print, type Output } from './output.ts'
import { readPassword } from './read-password.ts'

export async function userAdd(
  config: Config,
  user: { username: string; role: string },
  output: Output,
): Promise<void> {
  const password = await readPassword(`Password for ${user.username}: `)
  await withUsers(await databaseOf(config), async (deps) => {
    const id = await addUser(deps, { ...user, password })
    print(output, `added ${user.username}`, { id, username: user.username, role: user.role })
  })
}

export async function userList(config: Config, output: Output): Promise<void> {
  await withUsers(await databaseOf(config), async ({ userAdmin }) => {
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
  await withUsers(await databaseOf(config), async (deps) => {
    const sessionsEnded = await disableUser(deps, username)
    print(output, `disabled ${username}, sessions ended: ${sessionsEnded}`, { username, sessionsEnded })
  })
}

export async function userEnable(config: Config, username: string, output: Output): Promise<void> {
  await withUsers(await databaseOf(config), async (deps) => {
    await enableUser(deps, username)
    print(output, `enabled ${username}`, { username })
  })
}

export async function userSetPassword(config: Config, username: string, output: Output): Promise<void> {
  const password = await readPassword(`New password for ${username}: `)
  await withUsers(await databaseOf(config), async (deps) => {
    const sessionsEnded = await setPassword(deps, { username, password })
    print(output, `changed the password of ${username}, sessions ended: ${sessionsEnded}`, {
      username,
      sessionsEnded,
    })
  })
}

export interface UserDatabase {
  databaseUrl: string
  leewaySeconds: number
}

async function databaseOf(config: Config): Promise<UserDatabase> {
  return { databaseUrl: await databaseUrlOf(config), leewaySeconds: config.LEEWAY }
}

/** Journal only: the relay of every running service carries the ended sessions to Redis within a second. */
export async function withUsers<T>(
  { databaseUrl, leewaySeconds }: UserDatabase,
  work: (deps: UsersDeps) => Promise<T>,
): Promise<T> {
  const log = stderrLog()
  const database = postgres({ url: databaseUrl, log })
  const entries = logEntries({
    postgres: database,
    log,
    onFailure: () => undefined,
    onEvent: () => undefined,
  })
  const passwords = argon2Passwords(log)
  try {
    return await work({
      userAdmin: postgresUserAdmin({ postgres: database, logEntries: entries, leewaySeconds }),
      passwords,
      isCommonPassword,
    })
  } finally {
    await Promise.all([database.close(), passwords.close()])
  }
}

/** For a person at a terminal: warnings and errors in plain words, apart from what the command prints. */
function stderrLog(): SystemLog {
  const write = (fields: object | string, message = typeof fields === 'string' ? fields : ''): void => {
    process.stderr.write(`signoff: ${message}\n`)
  }
  return { debug: () => undefined, info: () => undefined, warn: write, error: write }
}
