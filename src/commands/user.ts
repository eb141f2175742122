// signoff user add|list|disable|enable|set-password|set-role|set-claims
import { text } from 'node:stream/consumers'
import {
  addUser,
  disableUser,
  enableUser,
  setClaims,
  setPassword,
  setRole,
} from '../auth/accounts/manage-users.ts'
import { denialLeewaySeconds, type Config } from '../config.ts'
import { databaseUrlOf, redisUrlBeside } from './database.ts'
import { print, type Output } from './output.ts'
import { readPassword } from './read-password.ts'
import { withUsers, type UserStores } from './with-users.ts'

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
