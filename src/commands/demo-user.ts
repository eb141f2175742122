// The user that `signoff start` makes in an empty database, so that there is somebody to log in as.
import { randomBytes } from 'node:crypto'
import { access, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AuthError } from '../auth/errors.ts'
import { addUser, type UsersDeps } from '../auth/accounts/manage-users.ts'
import { denialLeewaySeconds, type Config } from '../config.ts'
import { withUsers } from './with-users.ts'

export interface DemoUser {
  username: string
  /** Holds the password and nothing else, no line end either, so that curl can send it as it is. */
  passwordFile: string
}

/** `null` where the database has users of its own, and none of them was made here. */
export async function demoUser(
  config: Config,
  { dataDir, databaseUrl }: { dataDir: string; databaseUrl: string },
): Promise<DemoUser | null> {
  const demo = { username: 'demo', passwordFile: join(dataDir, 'demo-password') }
  return await withUsers(
    {
      databaseUrl,
      redisUrl: null,
      redisPrefix: '',
      leewaySeconds: denialLeewaySeconds(config),
      issuer: config.ISSUER,
      roles: config.ROLES,
    },
    async (deps) => {
      const users = await deps.userAdmin.list()
      if (users.length === 0) return (await makeUser(deps, demo)) ? demo : null
      const isOurs =
        users.some(({ username, isActive }) => username === demo.username && isActive) &&
        (await exists(demo.passwordFile))
      return isOurs ? demo : null
    },
  )
}

/** Resolves to `false` when another process that started at the same moment was first. */
async function makeUser(deps: UsersDeps, { username, passwordFile }: DemoUser): Promise<boolean> {
  const password = randomBytes(18).toString('base64url')
  await writeFile(passwordFile, password, { mode: 0o600 })
  try {
    await addUser(deps, { username, password, role: 'user' })
    return true
  } catch (error) {
    if (!(error instanceof AuthError && error.code === 'username_taken')) throw error
    await rm(passwordFile)
    return false
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
